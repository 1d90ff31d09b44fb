-- What a worker owes the coordinator, and what it was acknowledged. One file per worker key and log.

-- Receipts that no acknowledged submission holds, with the outputs behind them.
CREATE TABLE IF NOT EXISTS result (
  id       INTEGER PRIMARY KEY,
  -- The submission that it goes into. Batches are submitted in this order; new receipts join the last one.
  batch    INTEGER NOT NULL,
  -- The receipt's own `index`: 0 to n − 1 within the batch.
  position INTEGER NOT NULL CHECK (position >= 0),
  receipt  BLOB    NOT NULL,
  outputs  BLOB    NOT NULL,
  salt     BLOB    NOT NULL CHECK (length(salt) = 32),
  UNIQUE (batch, position)
) STRICT;

-- Signed headers, written before they are sent: a retry sends the same bytes.
CREATE TABLE IF NOT EXISTS sealed (
  batch     INTEGER PRIMARY KEY,
  header    BLOB NOT NULL,
  signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;

-- The coordinator's signed word that a submission is in its log: evidence, should the log ever lack it.
CREATE TABLE IF NOT EXISTS acknowledged (
  sequence        INTEGER PRIMARY KEY,
  header          BLOB NOT NULL,
  acknowledgement BLOB NOT NULL
) STRICT;
