package pow

// PassphraseChange moves the keys under another passphrase. Old is empty where
// the system's keyring holds them; New is empty to give them to it.
type PassphraseChange struct {
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// BackupTest is what a person has of their key, to find out whether it would
// bring it back: an ncryptsec with its passphrase, or all the words.
type BackupTest struct {
	Ncryptsec  string   `json:"ncryptsec,omitempty"`
	Passphrase string   `json:"passphrase,omitempty"`
	Words      []string `json:"words,omitempty"`
}

// ExportRequest writes a sealed proof to a new file, to be carried by hand.
type ExportRequest struct {
	ID   string `json:"id"`
	File string `json:"file"` // absolute
}
