package theme

import (
	"sync"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"pow.do/assets"
)

// IconName is the name of a drawing below assets/icons.
type IconName string

// The drawings. Each state has its own shape, so that none is told by colour alone.
const (
	Logo      IconName = "logo"
	Timer     IconName = "timer"
	Outbox    IconName = "outbox"
	Start     IconName = "start"
	Stop      IconName = "stop"
	Register  IconName = "register"
	Remove    IconName = "remove"
	Retry     IconName = "retry"
	Copy      IconName = "copy"
	Search    IconName = "search"
	Back      IconName = "back"
	Forward   IconName = "forward"
	Up        IconName = "up"
	Down      IconName = "down"
	Close     IconName = "close"
	Confirm   IconName = "confirm"
	Add       IconName = "add"
	Lock      IconName = "lock"
	Look      IconName = "look"
	OffRecord IconName = "off-record"
	Stopped   IconName = "stopped"
	Tracking  IconName = "tracking"
	Away      IconName = "away"
	Paused    IconName = "paused"
	Held      IconName = "held"
	Picture   IconName = "picture"
	Queued    IconName = "queued"
	Sealed    IconName = "sealed"
	Uploaded  IconName = "uploaded"
	Sent      IconName = "sent"
	Arrived   IconName = "arrived"
	Verified  IconName = "verified"
	Parked    IconName = "parked"
	Booked    IconName = "booked"
	Attention IconName = "attention"
	Relay     IconName = "relay"
	Blossom   IconName = "blossom"
	Key       IconName = "key"
	Computer  IconName = "computer"
	People    IconName = "people"
	Apps      IconName = "apps"
	Inform    IconName = "info"
	Warn      IconName = "warning"
	ClockFace IconName = "clock"
	Online    IconName = "online"
	Partly    IconName = "partly"
	Offline   IconName = "offline"
	Refused   IconName = "refused"
	CheckOff  IconName = "check-off"
	CheckOn   IconName = "check-on"
	RadioOff  IconName = "radio-off"
	RadioOn   IconName = "radio-on"
	Sign      IconName = "sign"
	Save      IconName = "save"
	Disk      IconName = "disk"
)

// The drawings of the frame and the everyday screens.
const (
	Review   IconName = "review"
	History  IconName = "history"
	Settings IconName = "settings"
	Mini     IconName = "mini"
	Expand   IconName = "expand"
	More     IconName = "more"
)

// The drawings of review: what is done to a picture, and what became of it.
const (
	Redact         IconName = "redact"
	Blur           IconName = "blur"
	Crop           IconName = "crop"
	Monitor        IconName = "monitor"
	Undo           IconName = "undo"
	Zoom           IconName = "zoom"
	Before         IconName = "before"
	Approved       IconName = "approved"
	Edited         IconName = "edited"
	PictureRemoved IconName = "picture-removed"
	Skipped        IconName = "skipped"
	Unchanged      IconName = "unchanged"
)

// IconNames lists every drawing; a test holds it against assets/icons.
var IconNames = []IconName{
	Logo, Timer, Outbox, Start, Stop, Register, Remove, Retry, Copy, Search, Back, Forward, Up, Down,
	Close, Confirm, Add, Lock, Look, OffRecord, Stopped, Tracking, Away, Paused, Held, Picture, Queued,
	Sealed, Uploaded, Sent, Arrived, Verified, Parked, Booked, Attention, Relay, Blossom, Key, Computer,
	People, Apps, Inform, Warn, ClockFace, Online, Partly, Offline, Refused, CheckOff, CheckOn, RadioOff, RadioOn,
	Redact, Blur, Crop, Monitor, Undo, Zoom, Before, Approved, Edited, PictureRemoved, Skipped, Unchanged,
	Sign, Save, Disk, Review, History, Settings, Mini, Expand, More,
}

var drawn = sync.OnceValue(func() map[IconName]fyne.Resource {
	m := make(map[IconName]fyne.Resource, len(IconNames))
	for _, n := range IconNames {
		b, err := assets.Icons.ReadFile("icons/" + string(n) + ".svg")
		if err != nil {
			panic("icon without a drawing: " + string(n)) // the test of IconNames fails first
		}
		m[n] = fyne.NewStaticResource(string(n)+".svg", b)
	}
	return m
})

// Icon returns a drawing in the colour of a role; it follows a change of theme.
func Icon(name IconName, role fyne.ThemeColorName) fyne.Resource {
	return fynetheme.NewColoredResource(drawn()[name], role)
}

// replaced maps the icons that Fyne's widgets ask for to ours.
func replaced() map[fyne.ThemeIconName]IconName {
	return map[fyne.ThemeIconName]IconName{
		fynetheme.IconNameCancel:             Close,
		fynetheme.IconNameConfirm:            Confirm,
		fynetheme.IconNameDelete:             Remove,
		fynetheme.IconNameSearch:             Search,
		fynetheme.IconNameContentAdd:         Add,
		fynetheme.IconNameContentCopy:        Copy,
		fynetheme.IconNameContentClear:       Close,
		fynetheme.IconNameInfo:               Inform,
		fynetheme.IconNameWarning:            Warn,
		fynetheme.IconNameError:              Attention,
		fynetheme.IconNameNavigateBack:       Back,
		fynetheme.IconNameNavigateNext:       Forward,
		fynetheme.IconNameArrowDropDown:      Down,
		fynetheme.IconNameArrowDropUp:        Up,
		fynetheme.IconNameMoveDown:           Down,
		fynetheme.IconNameMoveUp:             Up,
		fynetheme.IconNameMenuExpand:         Forward,
		fynetheme.IconNameMoreHorizontal:     More,
		fynetheme.IconNameMoreVertical:       More,
		fynetheme.IconNameSettings:           Settings,
		fynetheme.IconNameHistory:            History,
		fynetheme.IconNameDocumentSave:       Save,
		fynetheme.IconNameContentUndo:        Undo,
		fynetheme.IconNameMediaPlay:          Start,
		fynetheme.IconNameMediaStop:          Stop,
		fynetheme.IconNameMediaPause:         Paused,
		fynetheme.IconNameHelp:               Inform,
		fynetheme.IconNameQuestion:           Inform,
		fynetheme.IconNameStorage:            Disk,
		fynetheme.IconNameComputer:           Computer,
		fynetheme.IconNameLogin:              Key,
		fynetheme.IconNameVisibility:         Look,
		fynetheme.IconNameVisibilityOff:      OffRecord,
		fynetheme.IconNameViewRefresh:        Retry,
		fynetheme.IconNameCheckButton:        CheckOff,
		fynetheme.IconNameCheckButtonChecked: CheckOn,
		fynetheme.IconNameRadioButton:        RadioOff,
		fynetheme.IconNameRadioButtonChecked: RadioOn,
	}
}
