-- Keys that an admin shut out, and what admins did (NIP-86).

CREATE TABLE banned (
  pubkey BLOB NOT NULL PRIMARY KEY,
  reason TEXT NOT NULL
) WITHOUT ROWID;

-- n counts up; times are in seconds.
CREATE TABLE audit (
  n      INTEGER NOT NULL PRIMARY KEY,
  at     INTEGER NOT NULL,
  signer BLOB    NOT NULL, -- empty: somebody with a shell on the hub
  name   TEXT    NOT NULL, -- of the signer, as configured then
  method TEXT    NOT NULL,
  target BLOB    NOT NULL  -- the key that it was about, otherwise empty
);
CREATE INDEX audit_at ON audit (at);
