package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A process is a contender that runs. It ends with its standard input, so that it does
// not outlive this program whatever becomes of that.
type process struct {
	ready
	pid    int
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr strings.Builder // to be read after wait only
	goHeap bool            // answers questions about its heap
}

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

func start(ctx context.Context, c contender, dir string, workers int) (*process, error) {
	p := &process{goHeap: c.script == ""}
	if p.goHeap {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		p.cmd = exec.Command(self, "serve", c.name, dir, strconv.Itoa(workers))
	} else {
		p.cmd = exec.Command("node", filepath.Join(dir, c.script))
		p.cmd.Env = append(os.Environ(), "NODE_ENV=production")
	}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = time.Second
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.pid = p.cmd.Process.Pid
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = p.cmd.Process.Kill() })
	err = p.read(&p.ready)
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *process) read(to any) error {
	line, err := p.stdout.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, to)
}

// mallocs is the number of allocations since the start, NaN if that is not known.
func (p *process) mallocs() (float64, error) {
	if !p.goHeap {
		return math.NaN(), nil
	}
	if _, err := io.WriteString(p.stdin, "\n"); err != nil {
		return 0, err
	}
	var h heap
	err := p.read(&h)
	return float64(h.Mallocs), err
}

// stop ends the process, by force if need be, and waits for it.
func (p *process) stop() error {
	_ = p.stdin.Close()
	late := time.AfterFunc(stopTimeout, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_, _ = io.Copy(io.Discard, p.stdout) // to the end: Wait closes the pipe
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(p.stderr.String()))
	}
	return nil
}
