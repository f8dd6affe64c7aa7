// Package review is the page on which a member looks at the day before anything
// of it leaves this computer: a grid of pictures, a large view of one with the
// means to cover, crop and remove it, and the app times row by row.
//
// The Presenter is plain Go: it holds the state, asks the agent beside its own
// goroutine and hands a Model to the view. It computes nothing about time: what
// a removal costs is the agent's answer to a dry run, and what is shown as
// "will be sent" are the bytes that the agent is going to seal.
//
// While the page can be seen, the agent is told so and takes no picture: one
// project's pictures would travel in another's proof otherwise. When the keys
// are locked, everything that was decoded is forgotten.
package review
