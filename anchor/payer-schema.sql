-- Payouts of the treasury, one row each for good. Every attempt spends the same coins and pays the same outputs: at most
-- one of them can ever be mined.
CREATE TABLE IF NOT EXISTS payer_payout (
  number       INTEGER PRIMARY KEY,
  -- The caller's name for it; the same name never pays twice.
  id           TEXT    NOT NULL UNIQUE,
  -- pinned: its coins are taken · prepared: an attempt is kept · broadcast: the node took one · confirmed: one is in the
  -- best chain · settled: deep enough, never judged again · voided: an input of it went into something else for good.
  state        TEXT    NOT NULL CHECK (state IN ('pinned', 'prepared', 'broadcast', 'confirmed', 'settled', 'voided')),
  total_sats   INTEGER NOT NULL CHECK (total_sats > 0),
  -- The attempt that the node holds or the chain shows, and the child that pays for it; NULL before.
  payment      INTEGER REFERENCES payer_attempt (number),
  child        INTEGER REFERENCES payer_attempt (number),
  -- Why it doesn't go forward, for people; NULL when nothing is in the way.
  trouble      TEXT,
  CHECK (payment IS NOT NULL OR (child IS NULL AND state IN ('pinned', 'prepared', 'voided')))
) STRICT;

-- The coins of each payout, in order; position 0 is THE pinned input. No coin is ever given to a second payout, but
-- those of a voided one that nothing has spent, which then are no longer here.
CREATE TABLE IF NOT EXISTS payer_input (
  payout     INTEGER NOT NULL REFERENCES payer_payout (number),
  position   INTEGER NOT NULL CHECK (position >= 0),
  txid       TEXT    NOT NULL CHECK (length(txid) = 64),
  vout       INTEGER NOT NULL CHECK (vout >= 0),
  value_sats INTEGER NOT NULL CHECK (value_sats > 0),
  -- Of the treasury's keys: 0 is its own.
  key_index  INTEGER NOT NULL CHECK (key_index >= 0),
  PRIMARY KEY (payout, position),
  UNIQUE (txid, vout)
) STRICT;

-- Whom it pays, in order, the change left out; written together with the first attempt.
CREATE TABLE IF NOT EXISTS payer_output (
  payout     INTEGER NOT NULL REFERENCES payer_payout (number),
  position   INTEGER NOT NULL CHECK (position >= 0),
  address    TEXT    NOT NULL,
  value_sats INTEGER NOT NULL CHECK (value_sats > 0),
  PRIMARY KEY (payout, position)
) STRICT;

-- Every transaction that was ever made for a payout, none deleted: an older one may be mined and then is the payment.
CREATE TABLE IF NOT EXISTS payer_attempt (
  number       INTEGER PRIMARY KEY,
  payout       INTEGER NOT NULL REFERENCES payer_payout (number),
  -- NULL: it pays the outputs. Else it is a child that spends that attempt's change and pays for both.
  parent       INTEGER REFERENCES payer_attempt (number),
  -- Taproot inputs alone: the txid is known before anybody has signed (BIP-141).
  txid         TEXT    NOT NULL UNIQUE CHECK (length(txid) = 64),
  vsize        INTEGER NOT NULL CHECK (vsize > 0),
  fee_sats     INTEGER NOT NULL CHECK (fee_sats >= 0),
  change_sats  INTEGER NOT NULL CHECK (change_sats > 0),
  -- Height of the chain when it was made: it can't be mined far below, and from here its time is counted.
  since_height INTEGER NOT NULL CHECK (since_height >= 0),
  -- Final bytes; NULL while it waits for an external signature.
  raw          BLOB,
  -- The block in which it was last seen.
  height       INTEGER CHECK (height >= 0),
  block_hash   TEXT CHECK (length(block_hash) = 64),
  CHECK ((height IS NULL) = (block_hash IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS payer_attempt_of ON payer_attempt (payout);

-- The operator's kill switch: at most one row, and while it is there nothing is signed or sent.
CREATE TABLE IF NOT EXISTS payer_stop (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  reason   TEXT    NOT NULL,
  since_ms INTEGER NOT NULL CHECK (since_ms >= 0)
) STRICT;
