//go:build !server

// Command powdo is the desktop program of pow.do: the window, the agent behind
// it, and a command line for both.
package main

import (
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"pow.do/app/client"
)

func main() {
	os.Exit(client.Main(func(m fyne.AppMetadata) fyne.App {
		app.SetMetadata(m)
		return app.NewWithID(m.ID)
	}, os.Args[1:]))
}
