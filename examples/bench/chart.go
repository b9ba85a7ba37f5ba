package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

const (
	chartLabels = 230 // width of the contenders' names
	chartPanel  = 220 // width of a panel, a third of which is for its figures
	chartRow    = 26
	chartTop    = 64
)

// The colours suit light and dark pages; the browser says which it is.
const chartStyle = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.head, .foot { fill: #59636e; font-size: 12px }
.ours { fill: #0a7ea4 } .other { fill: #9aa4ae }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .head, .foot { fill: #9198a1 } .ours { fill: #3fb6dc } .other { fill: #59636e }
}
</style>`

// chart is an SVG image of the figures under one load.
func (b *bench) chart(r *results, l *load, m machine) string {
	panels := []struct {
		title  string
		figure int
	}{
		{"requests per second", rate},
		{"CPU per request, µs", cpu},
		{"p99, ms", p99},
		{"memory, MiB", memory},
	}
	var rows []contender
	for _, c := range b.contenders {
		if !math.IsNaN(r.median(c.name, l.name, rate)) {
			rows = append(rows, c)
		}
	}
	width, height := chartLabels+len(panels)*chartPanel, chartTop+len(rows)*chartRow+34
	var out strings.Builder
	text := func(class string, x, y int, s string) {
		fmt.Fprintf(&out, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x, y, html.EscapeString(s))
	}
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n%s\n",
		width, height, width, height, html.EscapeString(l.title), chartStyle)
	text("title", 8, 22, l.title)
	for i, c := range rows {
		text("label", 8, chartTop+i*chartRow+17, c.title)
	}
	for i, panel := range panels {
		left := chartLabels + i*chartPanel
		text("head", left, chartTop-10, panel.title)
		var most float64
		for _, c := range rows {
			most = max(most, r.median(c.name, l.name, panel.figure))
		}
		for j, c := range rows {
			class, top := "other", chartTop+j*chartRow
			if c.ours {
				class = "ours"
			}
			v := r.median(c.name, l.name, panel.figure)
			length := 0
			if most > 0 {
				length = max(1, int(v/most*chartPanel*0.65))
			}
			fmt.Fprintf(&out, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="2"/>`+"\n", class, left, top+4, length, chartRow-8)
			text("value", left+length+6, top+17, number(v))
		}
	}
	text("foot", 8, height-10, fmt.Sprintf("%d processors, %s, %s", m.processors, m.cpu, m.date.Format("January 2006")))
	out.WriteString("</svg>\n")
	return out.String()
}
