package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A machine is where a run took place, and when.
type machine struct {
	date                      time.Time
	cpu, kernel, loadAverages string
	processors                int
	node, packages            string // versions
}

// thisMachine is called before the run, for the sake of the load averages. What cannot
// be found out is empty.
func thisMachine(dir string) machine {
	m := machine{packages: packages(dir), date: time.Now().UTC(), processors: runtime.GOMAXPROCS(0)}
	for line := range strings.Lines(read("/proc/cpuinfo")) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.cpu = strings.TrimSpace(value)
			break
		}
	}
	m.kernel = read("/proc/sys/kernel/osrelease")
	m.loadAverages = strings.Join(strings.Fields(read("/proc/loadavg") + " - - -")[:3], " ")
	if version, err := exec.Command("node", "--version").Output(); err == nil {
		m.node = strings.TrimSpace(string(version))
	}
	return m
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// packages are those of package.json, which have exact versions there.
func packages(dir string) string {
	var wanted struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal([]byte(read(filepath.Join(dir, "package.json"))), &wanted); err != nil {
		return ""
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(wanted.Dependencies)) {
		list = append(list, name+" "+wanted.Dependencies[name])
	}
	return strings.Join(list, ", ")
}

func (m machine) facts() []string {
	return []string{
		fmt.Sprintf("%d processors, %s, Linux %s", m.processors, m.cpu, m.kernel),
		fmt.Sprintf("%s, Node.js %s, %s", runtime.Version(), m.node, m.packages),
		"load averages before: " + m.loadAverages,
	}
}
