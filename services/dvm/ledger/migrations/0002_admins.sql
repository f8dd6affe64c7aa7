-- People who may look at evidence, and what they looked at.

CREATE TABLE admins (
  name         TEXT PRIMARY KEY,
  identity     TEXT UNIQUE,                   -- whose NIP-98 signature opens the door; NULL: by link only
  since        INTEGER NOT NULL
) WITHOUT ROWID;

-- One-time links, by the SHA-256 of their secret.
CREATE TABLE links (
  hash         TEXT PRIMARY KEY,
  admin        TEXT NOT NULL REFERENCES admins (name) ON DELETE CASCADE,
  expires      INTEGER NOT NULL
) WITHOUT ROWID;

-- Every look at evidence and every decision. Nothing is ever taken out.
CREATE TABLE looks (
  id           INTEGER PRIMARY KEY,
  at           INTEGER NOT NULL,
  admin        TEXT NOT NULL,
  act          TEXT NOT NULL,
  target       TEXT NOT NULL
);
CREATE INDEX looks_target ON looks (target);
