package windows

import (
	"image"
	"path/filepath"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32                = windows.NewLazySystemDLL("user32.dll")
	dwmapi                = windows.NewLazySystemDLL("dwmapi.dll")
	isIconic              = user32.NewProc("IsIconic")
	getWindowText         = user32.NewProc("GetWindowTextW")
	getWindowRect         = user32.NewProc("GetWindowRect")
	getWindowLong         = user32.NewProc("GetWindowLongW")
	getWindowRgn          = user32.NewProc("GetWindowRgnBox")
	dwmGetAttribute       = dwmapi.NewProc("DwmGetWindowAttribute")
	exStyle         int32 = -20 // GWL_EXSTYLE
)

// What is asked of windows (winuser.h, dwmapi.h).
const (
	styleTransparent = 0x20
	styleLayered     = 0x80000
	frameBounds      = 9
	cloaked          = 14
)

// collect is called with every window; the system takes 2000 such functions in
// the life of a program, so that there is one.
var collect = sync.OnceValue(func() uintptr {
	return windows.NewCallback(func(h windows.HWND, all *[]windows.HWND) uintptr {
		if *all = append(*all, h); len(*all) == maxWindows {
			return 0
		}
		return 1
	})
})

// list enumerates the top-level windows, front to back.
func list() ([]Window, error) {
	var handles []windows.HWND
	if err := windows.EnumWindows(collect(), unsafe.Pointer(&handles)); err != nil && len(handles) == 0 {
		return nil, err
	}
	front := windows.GetForegroundWindow()
	var all []Window
	for _, h := range handles {
		if w, shown := read(h); shown {
			w.Active = h == front
			all = append(all, w)
		}
	}
	return seen(all, false), nil
}

// read asks one window; shown is false for what nobody can see.
func read(h windows.HWND) (w Window, shown bool) {
	if iconic, _, _ := isIconic.Call(uintptr(h)); iconic != 0 || !windows.IsWindowVisible(h) || attribute(h, cloaked) != 0 {
		return w, false
	}
	if w.Bounds = bounds(h); w.Bounds.Empty() {
		return w, false
	}
	var buf [maxText / 2]uint16
	n, _, _ := getWindowText.Call(uintptr(h), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
	w.Title = windows.UTF16ToString(buf[:n])
	if n, err := windows.GetClassName(h, &buf[0], int32(len(buf))); err == nil {
		w.Class = windows.UTF16ToString(buf[:n])
	}
	var pid uint32
	if _, err := windows.GetWindowThreadProcessId(h, &pid); err == nil {
		w.PID, w.Program = int(pid), program(pid)
	}
	if w.Program != "" { // a window class says nothing to a person
		w.Class, w.Instance = w.Program, w.Class
	}
	style, _, _ := getWindowLong.Call(uintptr(h), uintptr(exStyle))
	var box windows.Rect
	region, _, _ := getWindowRgn.Call(uintptr(h), uintptr(unsafe.Pointer(&box)))
	w.solid = style&(styleTransparent|styleLayered) == 0 && region == 0 && w.Title != ""
	return w, true
}

// attribute asks the compositor for a number about a window.
func attribute(h windows.HWND, name uintptr) (v uint32) {
	_, _, _ = dwmGetAttribute.Call(uintptr(h), name, uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v))
	return v
}

// bounds returns the window without its invisible borders.
func bounds(h windows.HWND) image.Rectangle {
	var r windows.Rect
	if hr, _, _ := dwmGetAttribute.Call(uintptr(h), frameBounds, uintptr(unsafe.Pointer(&r)), unsafe.Sizeof(r)); hr != 0 {
		if ok, _, _ := getWindowRect.Call(uintptr(h), uintptr(unsafe.Pointer(&r))); ok == 0 {
			return image.Rectangle{}
		}
	}
	return image.Rect(int(r.Left), int(r.Top), int(r.Right), int(r.Bottom))
}

// program returns the name of a process's file without ".exe".
func program(pid uint32) string {
	p, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return ""
	}
	defer func() { _ = windows.CloseHandle(p) }()
	var buf [windows.MAX_LONG_PATH]uint16
	n := uint32(len(buf))
	if windows.QueryFullProcessImageName(p, 0, &buf[0], &n) != nil {
		return ""
	}
	name := filepath.Base(windows.UTF16ToString(buf[:n]))
	return strings.TrimSuffix(name, filepath.Ext(name))
}
