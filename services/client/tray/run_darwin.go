package tray

import "context"

// Open is the id that act would get for a click on the icon itself.
const Open = "open"

// Run waits for ctx: there is no icon here.
func (t *Tray) Run(ctx context.Context, _ func(id, token string)) error {
	<-ctx.Done()
	return nil
}
