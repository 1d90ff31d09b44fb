-- Fixture: src/log/log-schema.sql as commit c9251b4 had it, while tables were at version 1.

-- The log: its entries, and the hash of every complete subtree over them (RFC 6962).
-- Rows are only ever appended, each at the next number: the triggers hold that against any bug of ours, REPLACE
-- included. They are no defence against whoever holds the file; the anchors are.

CREATE TABLE IF NOT EXISTS log_identity (
  singleton    INTEGER PRIMARY KEY CHECK (singleton = 1),
  verifier_key TEXT NOT NULL             -- C2SP verifier key: the origin, and the key that signs its checkpoints
) STRICT;

CREATE TABLE IF NOT EXISTS log_entry (
  entry_index INTEGER PRIMARY KEY,       -- 0, 1, 2 …
  entry       BLOB NOT NULL CHECK (length(entry) <= 65535)
) STRICT;

CREATE TABLE IF NOT EXISTS log_hash (
  hash_index INTEGER PRIMARY KEY,        -- storedHashIndex(level, n): 0, 1, 2 …
  hash       BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER IF NOT EXISTS log_identity_set_once BEFORE INSERT ON log_identity
WHEN EXISTS (SELECT 1 FROM log_identity)
BEGIN SELECT RAISE(ABORT, 'log_identity is set once'); END;

CREATE TRIGGER IF NOT EXISTS log_entry_next BEFORE INSERT ON log_entry
WHEN NEW.entry_index <> (SELECT coalesce(max(entry_index) + 1, 0) FROM log_entry)
BEGIN SELECT RAISE(ABORT, 'log_entry is append-only'); END;

CREATE TRIGGER IF NOT EXISTS log_hash_next BEFORE INSERT ON log_hash
WHEN NEW.hash_index <> (SELECT coalesce(max(hash_index) + 1, 0) FROM log_hash)
BEGIN SELECT RAISE(ABORT, 'log_hash is append-only'); END;

CREATE TRIGGER IF NOT EXISTS log_identity_no_update BEFORE UPDATE ON log_identity
BEGIN SELECT RAISE(ABORT, 'log_identity is set once'); END;
CREATE TRIGGER IF NOT EXISTS log_identity_no_delete BEFORE DELETE ON log_identity
BEGIN SELECT RAISE(ABORT, 'log_identity is set once'); END;

CREATE TRIGGER IF NOT EXISTS log_entry_no_update BEFORE UPDATE ON log_entry
BEGIN SELECT RAISE(ABORT, 'log_entry is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_entry_no_delete BEFORE DELETE ON log_entry
BEGIN SELECT RAISE(ABORT, 'log_entry is append-only'); END;

CREATE TRIGGER IF NOT EXISTS log_hash_no_update BEFORE UPDATE ON log_hash
BEGIN SELECT RAISE(ABORT, 'log_hash is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_hash_no_delete BEFORE DELETE ON log_hash
BEGIN SELECT RAISE(ABORT, 'log_hash is append-only'); END;
