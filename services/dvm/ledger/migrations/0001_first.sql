-- Times are Unix milliseconds, hashes and keys lower-case hex, flags 0 or 1.

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE members (
  id           TEXT PRIMARY KEY,
  identity     TEXT NOT NULL UNIQUE,
  name         TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'removed', 'pending')),
  kimai_user   INTEGER NOT NULL DEFAULT 0,
  projects     TEXT,                          -- JSON array of project ids; NULL: every project
  revision     INTEGER NOT NULL DEFAULT 1,    -- of the catalogue
  request      TEXT,                          -- JSON of the enrol or erase Receipt that an admin's decision answers
  erase        INTEGER NOT NULL DEFAULT 0,    -- asked to be erased
  joined       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE devices (
  key          TEXT PRIMARY KEY,
  member       TEXT NOT NULL REFERENCES members (id),
  name         TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('active', 'removed')),
  catalogue    INTEGER NOT NULL DEFAULT 0,    -- revision handed to the post
  asked        INTEGER NOT NULL DEFAULT 0,    -- when a catalogue was last sent on request
  dismiss      INTEGER NOT NULL DEFAULT 0,    -- the hubs have to be told that it is removed
  joined       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX devices_member ON devices (member);

CREATE TABLE slots (
  claim        TEXT PRIMARY KEY,              -- sha256 of the claim
  name         TEXT NOT NULL,
  kimai_user   INTEGER NOT NULL DEFAULT 0,
  projects     TEXT,
  identity     TEXT,                          -- the only identity that may use it
  expires      INTEGER NOT NULL,
  used_by      TEXT,                          -- identity
  used_at      INTEGER
) WITHOUT ROWID;

CREATE TABLE projects (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  active       INTEGER NOT NULL,
  doc          TEXT NOT NULL                  -- JSON: capture policy and names in the timesheet system
) WITHOUT ROWID;

-- Letters that were processed or dropped; kept 60 days.
CREATE TABLE letters (
  wrap         TEXT PRIMARY KEY,
  outcome      TEXT NOT NULL,
  at           INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX letters_at ON letters (at);

-- Letters of strangers that wait for a place in the enrol lane.
CREATE TABLE aside (
  id           INTEGER PRIMARY KEY,
  wrap         TEXT NOT NULL UNIQUE,
  letter       BLOB NOT NULL,
  at           INTEGER NOT NULL
);

-- Rumors that are no Notices: account requests and malformed ones.
CREATE TABLE rumors (
  rumor        TEXT PRIMARY KEY,
  author       TEXT NOT NULL,
  action       TEXT NOT NULL,
  at           INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE notices (
  id           INTEGER PRIMARY KEY,
  rumor        TEXT NOT NULL UNIQUE,
  member       TEXT NOT NULL REFERENCES members (id),
  device       TEXT NOT NULL,
  statement    TEXT NOT NULL,                 -- '' in a hint
  sealed       TEXT NOT NULL,
  session      TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  doc          TEXT NOT NULL,                 -- JSON of the Notice
  seal         BLOB,                          -- signed event of kind 13, the member's word
  state        TEXT NOT NULL CHECK (state IN ('received', 'accepted', 'refused', 'replaced', 'quarantined', 'hint')),
  code         TEXT NOT NULL DEFAULT '',      -- of the last verdict
  reason       TEXT NOT NULL DEFAULT '',
  attempts     INTEGER NOT NULL DEFAULT 0,
  waits        INTEGER NOT NULL DEFAULT 0,
  next         INTEGER NOT NULL DEFAULT 0,    -- not to be worked on before
  arrived      INTEGER NOT NULL
);
CREATE INDEX notices_work ON notices (device, seq, next) WHERE state = 'received';
CREATE INDEX notices_statement ON notices (statement, member);
CREATE INDEX notices_session ON notices (session);
CREATE INDEX notices_place ON notices (device, seq);

-- The place of every Notice in the chain of its device, whatever became of it.
CREATE TABLE places (
  device       TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  statement    TEXT NOT NULL,
  prev         TEXT NOT NULL,
  at           INTEGER NOT NULL,
  PRIMARY KEY (device, seq, statement)
) WITHOUT ROWID;

CREATE TABLE sessions (
  id           TEXT PRIMARY KEY,
  member       TEXT NOT NULL REFERENCES members (id),
  device       TEXT NOT NULL,
  project      TEXT NOT NULL,
  activity     TEXT NOT NULL,
  note         TEXT NOT NULL,
  begin        INTEGER NOT NULL,
  "end"        INTEGER NOT NULL,
  proven       INTEGER NOT NULL,              -- seconds, counted once
  intervals    TEXT NOT NULL,                 -- JSON of what is counted
  open         INTEGER NOT NULL,
  approved     INTEGER NOT NULL DEFAULT 0,
  booking      TEXT NOT NULL DEFAULT '{"state":"none"}',
  version      INTEGER NOT NULL DEFAULT 1,
  book_at      INTEGER,                       -- to be booked then; NULL: nothing to do
  attempts     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX sessions_due ON sessions (book_at) WHERE book_at IS NOT NULL;
CREATE INDEX sessions_member ON sessions (member, "end");
CREATE INDEX sessions_open ON sessions ("end") WHERE open = 1;

CREATE TABLE stops (
  session      TEXT NOT NULL,
  device       TEXT NOT NULL,
  at           INTEGER NOT NULL,
  PRIMARY KEY (session, device, at)
) WITHOUT ROWID;

-- Accepted proofs only: these unique keys are what a Proof takes by being accepted.
CREATE TABLE proofs (
  id           INTEGER PRIMARY KEY REFERENCES notices (id),
  statement    TEXT NOT NULL UNIQUE,
  sealed       TEXT NOT NULL UNIQUE,
  device       TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  prev         TEXT NOT NULL,
  root         TEXT NOT NULL,
  size         INTEGER NOT NULL,
  member       TEXT NOT NULL REFERENCES members (id),
  session      TEXT NOT NULL REFERENCES sessions (id),
  project      TEXT NOT NULL,
  activity     TEXT NOT NULL,
  note         TEXT NOT NULL,
  "from"       INTEGER NOT NULL,
  "to"         INTEGER NOT NULL,
  signed       INTEGER NOT NULL,
  accepted     INTEGER NOT NULL,
  captures     INTEGER NOT NULL,
  dropped      INTEGER NOT NULL,
  rows         INTEGER NOT NULL,
  active       INTEGER NOT NULL,              -- seconds, as ActivityWatch reported
  away         INTEGER NOT NULL,
  app          TEXT NOT NULL,
  hold         TEXT NOT NULL,                 -- why it is not booked; '' when it is
  marks        TEXT NOT NULL,                 -- comma separated
  checks       TEXT NOT NULL,                 -- JSON
  until        INTEGER,                       -- end of the Sealed's retention; NULL: erased
  UNIQUE (device, seq)
);
CREATE INDEX proofs_member ON proofs (member, "from");
CREATE INDEX proofs_session ON proofs (session, "from", "to", hold);
CREATE INDEX proofs_until ON proofs (until) WHERE until IS NOT NULL;

CREATE TABLE captures (
  proof        INTEGER NOT NULL REFERENCES proofs (id) ON DELETE CASCADE,
  n            INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  display      INTEGER NOT NULL,
  format       TEXT NOT NULL,
  width        INTEGER NOT NULL,
  height       INTEGER NOT NULL,
  size         INTEGER NOT NULL,
  hash         TEXT NOT NULL,
  again        INTEGER NOT NULL,              -- how often the same picture was seen later
  PRIMARY KEY (proof, n)
) WITHOUT ROWID;
CREATE INDEX captures_hash ON captures (hash);

CREATE TABLE activity (
  proof        INTEGER NOT NULL REFERENCES proofs (id) ON DELETE CASCADE,
  n            INTEGER NOT NULL,
  "from"       INTEGER NOT NULL,
  "to"         INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  app          TEXT NOT NULL,
  title        TEXT NOT NULL,
  host         TEXT NOT NULL,
  category     TEXT NOT NULL,
  PRIMARY KEY (proof, n)
) WITHOUT ROWID;

-- One row per uninterrupted run of a session, and all that is known of its record.
CREATE TABLE runs (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  session      TEXT NOT NULL REFERENCES sessions (id),
  run          INTEGER NOT NULL,
  begin        INTEGER,                       -- NULL: joined to an earlier run
  "end"        INTEGER,
  pinned       INTEGER NOT NULL DEFAULT 0,
  marker       TEXT NOT NULL,
  kimai_user   INTEGER NOT NULL DEFAULT 0,
  done_begin   INTEGER,                       -- what the record shows, as wanted then
  done_end     INTEGER,
  state        TEXT NOT NULL DEFAULT '',
  reason       TEXT NOT NULL DEFAULT '',
  detail       TEXT NOT NULL DEFAULT '',
  timesheet    INTEGER UNIQUE,
  sent_begin   INTEGER,
  sent_end     INTEGER,
  got_begin    INTEGER,
  got_end      INTEGER,
  got_duration INTEGER NOT NULL DEFAULT 0,    -- seconds
  rounded      INTEGER NOT NULL DEFAULT 0,
  day_fix      INTEGER NOT NULL DEFAULT 0,
  again        INTEGER,
  updated      INTEGER,
  UNIQUE (session, run)
);
CREATE INDEX runs_booked ON runs (kimai_user, updated) WHERE state = 'booked';

-- Letters to devices. A row stays after sending: it is what is said again.
CREATE TABLE outgoing (
  id           INTEGER PRIMARY KEY,
  topic        TEXT NOT NULL UNIQUE,          -- rumor that is answered, or catalogue/<device>/<revision>/<part>
  device       TEXT NOT NULL,
  code         TEXT NOT NULL,
  reason       TEXT NOT NULL DEFAULT '',
  receipt      TEXT NOT NULL,                 -- JSON; '' for a catalogue
  rumor        TEXT NOT NULL DEFAULT '',      -- id of the Receipt, once sealed
  seal         BLOB,
  letter       BLOB,
  letter_id    TEXT NOT NULL DEFAULT '',
  made         INTEGER NOT NULL DEFAULT 0,
  version      INTEGER NOT NULL DEFAULT 1,
  attempts     INTEGER NOT NULL DEFAULT 0,
  due          INTEGER,                       -- NULL: nothing to send
  sent         INTEGER,
  created      INTEGER NOT NULL
);
CREATE INDEX outgoing_due ON outgoing (due) WHERE due IS NOT NULL;

-- Letters that could not be processed, for a person to look at.
CREATE TABLE quarantine (
  id           INTEGER PRIMARY KEY,
  wrap         TEXT NOT NULL,
  letter       BLOB,                          -- NULL when the Notice was read
  notice       INTEGER REFERENCES notices (id),
  step         TEXT NOT NULL,
  reason       TEXT NOT NULL,
  attempts     INTEGER NOT NULL,
  at           INTEGER NOT NULL
);

-- Proven hours per member, project and day (UTC).
CREATE VIEW hours AS
  SELECT m.name AS member, p.name AS project, date(s.begin / 1000, 'unixepoch') AS day,
         sum(s.proven) AS proven_seconds, count(*) AS sessions
  FROM sessions s JOIN members m ON m.id = s.member LEFT JOIN projects p ON p.id = s.project
  GROUP BY s.member, s.project, day;

-- What was verified but is not in the timesheet, and why.
CREATE VIEW parked AS
  SELECT s.id AS session, m.name AS member, datetime(s.begin / 1000, 'unixepoch') AS begin,
         s.proven AS proven_seconds, json_extract(s.booking, '$.reason') AS reason,
         (SELECT group_concat(DISTINCT r.detail) FROM runs r WHERE r.session = s.id AND r.state = 'parked') AS detail
  FROM sessions s JOIN members m ON m.id = s.member
  WHERE json_extract(s.booking, '$.state') = 'parked';

-- Every accepted proof with its checks in columns.
CREATE VIEW evidence AS
  SELECT p.id, m.name AS member, p.session, p.seq, datetime(p."from" / 1000, 'unixepoch') AS "from",
         datetime(p."to" / 1000, 'unixepoch') AS "to", p.captures, p.rows AS activity_rows,
         json_extract(p.checks, '$.chain') AS chain, json_extract(p.checks, '$.window') AS "window",
         json_extract(p.checks, '$.policy') AS policy, p.marks, p.hold, p.sealed, p.root
  FROM proofs p JOIN members m ON m.id = p.member;
