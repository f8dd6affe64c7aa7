-- Keys that an admin shut out, and what admins did (NIP-86).

CREATE TABLE banned (
  pubkey BYTEA NOT NULL PRIMARY KEY,
  reason TEXT  NOT NULL
);

-- n counts up; times are in seconds.
CREATE TABLE audit (
  n      BIGINT NOT NULL PRIMARY KEY,
  at     BIGINT NOT NULL,
  signer BYTEA  NOT NULL, -- empty: somebody with a shell on the hub
  name   TEXT   NOT NULL, -- of the signer, as configured then
  method TEXT   NOT NULL,
  target BYTEA  NOT NULL  -- the key that it was about, otherwise empty
);
CREATE INDEX audit_at ON audit (at);
