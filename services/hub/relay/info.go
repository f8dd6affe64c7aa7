package relay

import (
	"encoding/json"
	"net/http"
	"time"
)

type document struct {
	Name        string     `json:"name"`
	Description string     `json:"description"`
	NIPs        []int      `json:"supported_nips"`
	Software    string     `json:"software"`
	Version     string     `json:"version"`
	Limitation  limitation `json:"limitation"`
}

type limitation struct {
	MaxMessageLength int           `json:"max_message_length"`
	MaxSubscriptions int           `json:"max_subscriptions"`
	MaxSubIDLength   int           `json:"max_subid_length"`
	MaxLimit         int           `json:"max_limit"`
	DefaultLimit     int           `json:"default_limit"`
	MaxEventTags     int           `json:"max_event_tags"`
	MaxContentLength int           `json:"max_content_length"`
	MinPoWDifficulty int           `json:"min_pow_difficulty"`
	AuthRequired     bool          `json:"auth_required"`
	PaymentRequired  bool          `json:"payment_required"`
	RestrictedWrites bool          `json:"restricted_writes"`
	LowerLimit       time.Duration `json:"created_at_lower_limit"` // seconds
	UpperLimit       time.Duration `json:"created_at_upper_limit"` // seconds
}

// info answers with the relay information document (NIP-11). There is no "self":
// this relay publishes no events of its own.
func (r *Relay) info(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/nostr+json")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Allow-Methods", "GET")
	json.NewEncoder(w).Encode(document{
		Name:        r.cfg.Name,
		Description: "Mailbox relay and forgetful blob store for pow.do members.",
		NIPs:        r.nips(),
		Software:    "https://pow.do",
		Version:     r.cfg.Version,
		Limitation: limitation{
			MaxMessageLength: maxFrame, MaxSubscriptions: maxSubs, MaxSubIDLength: maxSubID,
			MaxLimit: maxLimit, DefaultLimit: maxLimit, MaxEventTags: maxDeletionTags, MaxContentLength: maxLetter,
			AuthRequired: true, RestrictedWrites: true,
			LowerLimit: past / time.Second, UpperLimit: future / time.Second,
		},
	})
}

// nips lists what is spoken here; 86 only where there is somebody to manage.
func (r *Relay) nips() []int {
	nips := []int{1, 9, 11, 40, 42, 43, 45, 59, 62, 70, 77}
	if r.cfg.Management != nil {
		nips = append(nips, 86)
	}
	return nips
}
