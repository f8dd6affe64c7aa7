//go:build server

// Command powdo-server is the headless program of pow.do: hub, DVM, or both.
package main

import (
	"os"

	"pow.do/app/server"
)

func main() { os.Exit(server.Main(os.Args[1:])) }
