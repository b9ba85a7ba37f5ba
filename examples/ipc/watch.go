package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// view is what the folder of a module and those in it had at one time, and a watcher of
// what becomes of it. It is not mended when something changes but made anew: a folder that was moved away
// takes its watch with it.
type view struct {
	watcher *fsnotify.Watcher
	folders map[string]bool            // that are watched for all that happens in them
	steps   map[string]map[string]bool // others, for the names that lead to the module
	sources map[string]fs.FileInfo     // and links, by path
	missing bool                       // the module
	blind   error                      // what could not be watched
}

// look makes a view of a module's folder: where that is without links, since it is from
// there that Node.js looks for what the module imports. Folders are watched before they
// are looked at, so that no change falls in between.
func look(module string) (*view, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	v := &view{watcher: watcher, folders: map[string]bool{}, steps: map[string]map[string]bool{}, sources: map[string]fs.FileInfo{}}
	folder := filepath.Dir(v.approach(module))
	if v.missing {
		return v, nil
	}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has gone meanwhile, which the watcher has seen
			return nil
		case err != nil:
			return err
		case entry.IsDir():
			if path != folder && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".")) {
				return fs.SkipDir
			}
			v.folders[path] = true
			v.watch(path)
		case isSource(path) || entry.Type()&fs.ModeSymlink != 0:
			if info, err := os.Stat(path); err == nil {
				v.sources[path] = info
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v, nil
}

// approach watches the folders on the way to a file, for a new one or a link with a name
// that leads there, and returns where the file is without links.
func (v *view) approach(file string) (real string) {
	path, err := filepath.Abs(file)
	if err != nil {
		v.blind = errors.Join(v.blind, err)
		path = file
	}
	volume := filepath.VolumeName(path)
	root := volume + string(filepath.Separator)
	todo := strings.Split(path[len(volume):], string(filepath.Separator))
	at, links := root, 0
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		if v.steps[at] == nil {
			v.steps[at] = map[string]bool{}
			v.watch(at)
		}
		next := filepath.Join(at, name)
		v.steps[at][next] = true
		info, err := os.Lstat(next)
		if err != nil {
			v.missing = true
			return next
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > 40 {
			v.missing = true
			return next
		}
		if filepath.IsAbs(target) {
			at, target = root, target[len(filepath.VolumeName(target)):]
		}
		todo = append(strings.Split(filepath.FromSlash(target), string(filepath.Separator)), todo...)
	}
	return at
}

func (v *view) watch(folder string) {
	if err := v.watcher.Add(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.blind = errors.Join(v.blind, err)
	}
}

// concerns reports whether there may be something new to look at: not if a worker writes
// its data.
func (v *view) concerns(event fsnotify.Event) bool {
	path := filepath.Clean(event.Name)
	folder := filepath.Dir(path)
	switch {
	case event.Op == fsnotify.Chmod:
		return false
	case v.folders[path] || v.steps[folder][path]:
		return true
	case !v.folders[folder]:
		return false
	case isSource(path) || v.sources[path] != nil:
		return true
	}
	info, err := os.Lstat(path)
	return event.Has(fsnotify.Create) && err == nil && (info.IsDir() || info.Mode()&fs.ModeSymlink != 0)
}

// changed returns the paths of sources that are not what they were in an earlier view.
func (v *view) changed(before *view) []string {
	var paths []string
	for path, now := range v.sources {
		if then := before.sources[path]; then == nil || !same(then, now) {
			paths = append(paths, path)
		}
	}
	for path := range before.sources {
		if v.sources[path] == nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// same compares the files, too: some builds give all of them the same time.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func isSource(path string) bool {
	extensions := []string{".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".json"}
	return slices.Contains(extensions, filepath.Ext(path))
}

func (v *view) close() error { return v.watcher.Close() }
