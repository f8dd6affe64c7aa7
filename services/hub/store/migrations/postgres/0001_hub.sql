-- What the hub keeps; the same tables as in SQLite, and feed. No address of a
-- peer, no authenticated key and no time of arrival stands beside an event.

CREATE TABLE events (
  id         BYTEA  NOT NULL PRIMARY KEY,
  kind       BIGINT NOT NULL,
  pubkey     BYTEA  NOT NULL,
  created_at BIGINT NOT NULL,
  p          BYTEA  NOT NULL, -- recipient of a gift wrap, otherwise empty
  d          TEXT   NOT NULL, -- address of an announcement, otherwise empty
  body       BIGINT NOT NULL, -- of bodies
  bytes      BIGINT NOT NULL, -- length of the body
  expires_at BIGINT NOT NULL  -- rounded up to the hour
);

-- Serialised events, under random numbers.
CREATE TABLE bodies (
  n    BIGINT NOT NULL PRIMARY KEY,
  json BYTEA  NOT NULL
);
ALTER TABLE bodies ALTER COLUMN json SET STORAGE EXTERNAL; -- ciphertext does not compress

CREATE INDEX events_mail ON events (p, created_at DESC, id) INCLUDE (expires_at) WHERE kind = 1059;
CREATE UNIQUE INDEX events_address ON events (pubkey, d) WHERE kind = 31990;
CREATE INDEX events_pubkey ON events (pubkey);
CREATE INDEX events_expiry ON events (expires_at);

-- Counted by triggers, so that the limits of a mailbox cost one look-up.
CREATE TABLE mailboxes (
  p       BYTEA  NOT NULL PRIMARY KEY,
  letters BIGINT NOT NULL,
  bytes   BIGINT NOT NULL
) WITH (fillfactor = 50);

CREATE FUNCTION letter_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO mailboxes AS m VALUES (NEW.p, 1, NEW.bytes)
  ON CONFLICT (p) DO UPDATE SET letters = m.letters + 1, bytes = m.bytes + excluded.bytes;
  RETURN NULL;
END $$;

CREATE TRIGGER letter_in AFTER INSERT ON events FOR EACH ROW WHEN (NEW.kind = 1059) EXECUTE FUNCTION letter_in();

CREATE FUNCTION event_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM bodies WHERE n = OLD.body;
  IF OLD.kind = 1059 THEN
    UPDATE mailboxes SET letters = letters - 1, bytes = bytes - OLD.bytes WHERE p = OLD.p;
    DELETE FROM mailboxes WHERE p = OLD.p AND letters <= 0;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER event_out AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION event_out();

-- What was stored last, in its order, for the other hubs on this database. Rows
-- are deleted after minutes. hub is a random number of the process.
CREATE TABLE feed (
  seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hub BIGINT NOT NULL,
  id  BYTEA  NOT NULL
);

-- Deleted ids (NIP-09), also of events that never came.
CREATE TABLE tombstones (
  id     BYTEA  NOT NULL,
  author BYTEA  NOT NULL,
  until  BIGINT NOT NULL,
  PRIMARY KEY (id, author)
);
CREATE INDEX tombstones_until ON tombstones (until);

-- Deleted addresses (NIP-09, "a" tags): versions up to upto are refused.
CREATE TABLE erased (
  pubkey BYTEA  NOT NULL,
  d      TEXT   NOT NULL,
  upto   BIGINT NOT NULL,
  until  BIGINT NOT NULL,
  PRIMARY KEY (pubkey, d)
);

-- Keys that asked to vanish (NIP-62), kept for ever.
CREATE TABLE vanished (
  pubkey BYTEA  NOT NULL PRIMARY KEY,
  upto   BIGINT NOT NULL
);

CREATE TABLE whitelist (
  device BYTEA  NOT NULL PRIMARY KEY,
  dvm    BYTEA  NOT NULL,
  how    TEXT   NOT NULL, -- claim, hand
  day    BIGINT NOT NULL  -- of admission, days since 1970
);
CREATE INDEX whitelist_dvm ON whitelist (dvm);

CREATE TABLE claims (
  dvm    BYTEA  NOT NULL,
  id     TEXT   NOT NULL,
  device BYTEA  NOT NULL,
  until  BIGINT NOT NULL,
  PRIMARY KEY (dvm, id)
);

-- Quotas: how much of what a key did in a period, without reference to events.
CREATE TABLE counters (
  key    BYTEA  NOT NULL,
  name   TEXT   NOT NULL,
  period BIGINT NOT NULL, -- days or hours since 1970
  until  BIGINT NOT NULL,
  n      BIGINT NOT NULL,
  PRIMARY KEY (key, name, period)
) WITH (fillfactor = 50);

CREATE TABLE blobs (
  x        BYTEA  NOT NULL PRIMARY KEY,
  size     BIGINT NOT NULL,
  uploaded BIGINT NOT NULL -- newest upload
);
CREATE INDEX blobs_uploaded ON blobs (uploaded);

-- dvm stands here too, because a removed device leaves its blobs to its DVM.
CREATE TABLE owners (
  x        BYTEA  NOT NULL REFERENCES blobs (x) ON DELETE CASCADE,
  device   BYTEA  NOT NULL,
  dvm      BYTEA  NOT NULL,
  uploaded BIGINT NOT NULL,
  PRIMARY KEY (x, device)
);
CREATE INDEX owners_device ON owners (device);

-- generation rises with every change of the whitelist; feed-floor is up to where
-- the feed was deleted.
CREATE TABLE meta (
  name  TEXT   NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO meta VALUES ('generation', 1), ('feed-floor', 0);
