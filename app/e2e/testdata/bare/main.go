// Command bare is an empty Fyne window with a clock in it: what the window of
// pow.do is measured beside.
package main

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/widget"
)

func main() {
	w := app.NewWithID("do.pow.bare").NewWindow("bare")
	clock := widget.NewLabel("")
	w.SetContent(clock)
	w.Resize(fyne.NewSize(960, 640))
	go func() {
		for now := range time.Tick(time.Second) {
			fyne.Do(func() { clock.SetText(now.Format(time.TimeOnly)) })
		}
	}()
	w.ShowAndRun()
}
