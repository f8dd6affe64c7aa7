-- Where the bytes of a blob lie, when it is not under their hash: in a bucket
-- that several hubs share, every upload has a name of its own.
ALTER TABLE blobs ADD COLUMN name TEXT NOT NULL DEFAULT '';
