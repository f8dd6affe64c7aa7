// Package e2e runs both real programs on 127.0.0.1 and looks at them from
// outside, as people and scripts do: commands in, JSON and exit codes out,
// signals in between.
package e2e
