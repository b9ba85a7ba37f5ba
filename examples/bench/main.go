// Command bench compares go-tunnel with Runner's own exposure, with servers written by
// hand and with fastify, and shows whether the project's targets are met:
//
//	go run ./examples/bench
//	go run ./examples/bench -rounds 1 -duration 300ms
//	go run ./examples/bench -only exposure,ipc-runner,small-64
//	go run ./examples/bench -only ipc-module,ipc-bun,ipc-deno,small-64
//
// Bun and Deno, which have to be on PATH, are measured only if they are named.
//
// It takes about seven minutes, in which the machine should have nothing else to do. The
// table goes to standard output, to RESULTS.md and as an image to chart.svg. It needs
// Linux, node and npm, and installs the npm packages in its own folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 5 && os.Args[1] == "serve" { // what process.go starts
		workers, err := strconv.Atoi(os.Args[4])
		if err == nil {
			err = serve(os.Args[2], os.Args[3], workers)
		}
		exit(err)
	}
	dir := flag.String("dir", "examples/bench", "this program's own `folder`")
	table := flag.String("results", "", "`file` for the table (default RESULTS.md in that folder)")
	image := flag.String("chart", "", "`file` for the chart (default chart.svg in that folder)")
	rounds := flag.Int("rounds", 3, "`number` of rounds")
	duration := flag.Duration("duration", 2*time.Second, "`time` for each load")
	only := flag.String("only", "", "`names` of contenders, loads or both, with commas between, instead of all")
	flag.Parse()
	b := &bench{dir: *dir, rounds: max(*rounds, 1), duration: *duration}
	err := b.choose(*only)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = b.write(ctx, named(*table, *dir, "RESULTS.md"), named(*image, *dir, "chart.svg"))
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func named(path, dir, name string) string {
	if path == "" {
		return filepath.Join(dir, name)
	}
	return path
}

// choose sets the contenders and loads: all of them unless some are named.
func (b *bench) choose(only string) error {
	all, err := loads()
	if err != nil {
		return err
	}
	everything := slices.Concat(contenders(), others())
	names := strings.FieldsFunc(only, func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range names {
		if !slices.ContainsFunc(everything, func(c contender) bool { return c.name == name }) &&
			!slices.ContainsFunc(all, func(l load) bool { return l.name == name }) {
			return fmt.Errorf("there is no contender or load %q, but %s", name, namesOf(everything, all))
		}
	}
	b.contenders = chosen(everything, contenders(), names, func(c contender) string { return c.name })
	b.loads = chosen(all, all, names, func(l load) string { return l.name })
	return nil
}

// chosen are those of all that are named; if none of them is, the usual ones.
func chosen[T any](all, usual []T, names []string, name func(T) string) []T {
	some := slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !slices.Contains(names, name(one)) })
	if len(some) == 0 {
		return usual
	}
	return some
}

func namesOf(contenders []contender, loads []load) string {
	var names []string
	for _, c := range contenders {
		names = append(names, c.name)
	}
	for _, l := range loads {
		names = append(names, l.name)
	}
	return strings.Join(names, ", ")
}

// write measures, and writes what came of it.
func (b *bench) write(ctx context.Context, table, image string) error {
	if runtime.GOOS != "linux" {
		return errors.New("this needs Linux, whose /proc says what processes use")
	}
	if err := b.install(ctx); err != nil {
		return err
	}
	m := thisMachine(b.dir)
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	report := b.report(r, m)
	fmt.Print(report)
	shown := &b.loads[0]
	for i := range b.loads {
		if b.loads[i].name == "small-64" {
			shown = &b.loads[i]
		}
	}
	return errors.Join(
		os.WriteFile(table, []byte(report), 0o644),
		os.WriteFile(image, []byte(b.chart(r, shown, m)), 0o644),
	)
}

// install installs the npm packages if a contender needs them and they are not what
// package-lock.json asks for.
func (b *bench) install(ctx context.Context) error {
	if !slices.ContainsFunc(b.contenders, func(c contender) bool { return c.node }) {
		return nil
	}
	if _, err := exec.LookPath("node"); err != nil {
		return err
	}
	if !slices.ContainsFunc(b.contenders, func(c contender) bool { return c.packages }) || b.installed() {
		return nil
	}
	progress("npm ci in %s", b.dir)
	cmd := exec.CommandContext(ctx, "npm", "ci")
	cmd.Dir = b.dir
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // npm ends its own children
	cmd.WaitDelay = stopTimeout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm ci: %w", err)
	}
	return nil
}

// installed compares times: npm writes its own note of what it has installed at the very end.
func (b *bench) installed() bool {
	wanted, err := os.Stat(filepath.Join(b.dir, "package-lock.json"))
	if err != nil {
		return false
	}
	note, err := os.Stat(filepath.Join(b.dir, "node_modules", ".package-lock.json"))
	return err == nil && !note.ModTime().Before(wanted.ModTime())
}
