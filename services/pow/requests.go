package pow

// PassphraseChange replaces the passphrase that protects the keys at rest. An
// empty Old stands for the system's keyring, an empty New moves the keys there.
type PassphraseChange struct {
	Old string `json:"old"`
	New string `json:"new"`
}

// BackupTest holds what a person has as a backup against the identity key:
// either an ncryptsec (NIP-49) with its passphrase, or all words of the mnemonic.
type BackupTest struct {
	Ncryptsec  string   `json:"ncryptsec,omitempty"`
	Passphrase string   `json:"passphrase,omitempty"`
	Words      []string `json:"words,omitempty"`
}

// ExportRequest writes a sealed proof to a new file, to be carried by hand.
type ExportRequest struct {
	ID   string `json:"id"`   // of the proof
	File string `json:"file"` // absolute path; nothing may be there yet
}
