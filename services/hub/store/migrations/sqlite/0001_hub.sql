-- What the hub keeps. No address of a peer, no authenticated key and no time of
-- arrival stands beside an event; WITHOUT ROWID, because row numbers would tell
-- the order of arrival.

CREATE TABLE events (
  id         BLOB    NOT NULL PRIMARY KEY,
  kind       INTEGER NOT NULL,
  pubkey     BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  p          BLOB    NOT NULL, -- recipient of a gift wrap, otherwise empty
  d          TEXT    NOT NULL, -- address of an announcement, otherwise empty
  body       INTEGER NOT NULL, -- of bodies
  bytes      INTEGER NOT NULL, -- length of the body
  expires_at INTEGER NOT NULL  -- rounded up to the hour
) WITHOUT ROWID;

-- Serialised events, under random numbers. They lie apart because SQLite would
-- read whole rows to compare their keys.
CREATE TABLE bodies (
  n    INTEGER PRIMARY KEY,
  json BLOB NOT NULL
);

CREATE TRIGGER event_out AFTER DELETE ON events BEGIN
  DELETE FROM bodies WHERE n = OLD.body;
END;

CREATE INDEX events_mail ON events (p, created_at DESC, id, expires_at) WHERE kind = 1059;
CREATE UNIQUE INDEX events_address ON events (pubkey, d) WHERE kind = 31990;
CREATE INDEX events_pubkey ON events (pubkey);
CREATE INDEX events_expiry ON events (expires_at);

-- Counted by triggers, so that the limits of a mailbox cost one look-up.
CREATE TABLE mailboxes (
  p       BLOB    NOT NULL PRIMARY KEY,
  letters INTEGER NOT NULL,
  bytes   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER letter_in AFTER INSERT ON events WHEN NEW.kind = 1059 BEGIN
  INSERT INTO mailboxes VALUES (NEW.p, 1, NEW.bytes)
  ON CONFLICT (p) DO UPDATE SET letters = letters + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER letter_out AFTER DELETE ON events WHEN OLD.kind = 1059 BEGIN
  UPDATE mailboxes SET letters = letters - 1, bytes = bytes - OLD.bytes WHERE p = OLD.p;
  DELETE FROM mailboxes WHERE p = OLD.p AND letters <= 0;
END;

-- Deleted ids (NIP-09), also of events that never came.
CREATE TABLE tombstones (
  id     BLOB    NOT NULL,
  author BLOB    NOT NULL,
  until  INTEGER NOT NULL,
  PRIMARY KEY (id, author)
) WITHOUT ROWID;
CREATE INDEX tombstones_until ON tombstones (until);

-- Deleted addresses (NIP-09, "a" tags): versions up to upto are refused.
CREATE TABLE erased (
  pubkey BLOB    NOT NULL,
  d      TEXT    NOT NULL,
  upto   INTEGER NOT NULL,
  until  INTEGER NOT NULL,
  PRIMARY KEY (pubkey, d)
) WITHOUT ROWID;

-- Keys that asked to vanish (NIP-62), kept for ever.
CREATE TABLE vanished (
  pubkey BLOB    NOT NULL PRIMARY KEY,
  upto   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE whitelist (
  device BLOB    NOT NULL PRIMARY KEY,
  dvm    BLOB    NOT NULL,
  how    TEXT    NOT NULL, -- claim, hand
  day    INTEGER NOT NULL  -- of admission, days since 1970
) WITHOUT ROWID;
CREATE INDEX whitelist_dvm ON whitelist (dvm);

CREATE TABLE claims (
  dvm    BLOB    NOT NULL,
  id     TEXT    NOT NULL,
  device BLOB    NOT NULL,
  until  INTEGER NOT NULL,
  PRIMARY KEY (dvm, id)
) WITHOUT ROWID;

-- Quotas: how much of what a key did in a period, without reference to events.
CREATE TABLE counters (
  key    BLOB    NOT NULL,
  name   TEXT    NOT NULL,
  period INTEGER NOT NULL, -- days or hours since 1970
  until  INTEGER NOT NULL,
  n      INTEGER NOT NULL,
  PRIMARY KEY (key, name, period)
) WITHOUT ROWID;

CREATE TABLE blobs (
  x        BLOB    NOT NULL PRIMARY KEY,
  size     INTEGER NOT NULL,
  uploaded INTEGER NOT NULL -- newest upload
) WITHOUT ROWID;
CREATE INDEX blobs_uploaded ON blobs (uploaded);

-- dvm stands here too, because a removed device leaves its blobs to its DVM.
CREATE TABLE owners (
  x        BLOB    NOT NULL REFERENCES blobs (x) ON DELETE CASCADE,
  device   BLOB    NOT NULL,
  dvm      BLOB    NOT NULL,
  uploaded INTEGER NOT NULL,
  PRIMARY KEY (x, device)
) WITHOUT ROWID;
CREATE INDEX owners_device ON owners (device);

-- generation rises with every change of the whitelist, so that another process
-- that has the file open notices.
CREATE TABLE meta (
  name  TEXT    NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES ('generation', 1);
