-- Payouts of the treasury, one row each for good: a payout is built once, and a retry sends the same bytes.
CREATE TABLE IF NOT EXISTS payer_payout (
  number       INTEGER PRIMARY KEY,
  -- The caller's name for it; the same name never pays twice.
  id           TEXT    NOT NULL UNIQUE,
  -- pinned: its coins are taken · prepared: final bytes kept · broadcast: the node took it · confirmed: in the best
  -- chain · settled: deep enough, never judged again.
  state        TEXT    NOT NULL CHECK (state IN ('pinned', 'prepared', 'broadcast', 'confirmed', 'settled')),
  total_sats   INTEGER NOT NULL CHECK (total_sats > 0),
  fee_sats     INTEGER CHECK (fee_sats >= 0),
  change_sats  INTEGER CHECK (change_sats > 0),
  vsize        INTEGER CHECK (vsize > 0),
  txid         TEXT UNIQUE CHECK (length(txid) = 64),
  raw          BLOB,
  -- Height of the chain when it was prepared: it can't be mined far below.
  since_height INTEGER CHECK (since_height >= 0),
  -- The block in which it was last seen: of the best chain only while the state is confirmed or settled.
  height       INTEGER CHECK (height >= 0),
  block_hash   TEXT CHECK (length(block_hash) = 64),
  -- Why it doesn't go forward, for people; NULL when nothing is in the way.
  trouble      TEXT,
  CHECK ((raw IS NULL) = (state = 'pinned') AND (raw IS NULL) = (txid IS NULL) AND (raw IS NULL) = (vsize IS NULL)
    AND (raw IS NULL) = (fee_sats IS NULL) AND (raw IS NULL) = (change_sats IS NULL)
    AND (raw IS NULL) = (since_height IS NULL)),
  CHECK ((height IS NULL) = (block_hash IS NULL)),
  CHECK (state NOT IN ('confirmed', 'settled') OR height IS NOT NULL)
) STRICT;

-- The coins of each payout, in order; position 0 is THE pinned input. No coin is ever given to a second payout.
CREATE TABLE IF NOT EXISTS payer_input (
  payout     INTEGER NOT NULL REFERENCES payer_payout (number),
  position   INTEGER NOT NULL CHECK (position >= 0),
  txid       TEXT    NOT NULL CHECK (length(txid) = 64),
  vout       INTEGER NOT NULL CHECK (vout >= 0),
  value_sats INTEGER NOT NULL CHECK (value_sats > 0),
  PRIMARY KEY (payout, position),
  UNIQUE (txid, vout)
) STRICT;

-- Whom it pays, in order, the change left out; written together with the final bytes.
CREATE TABLE IF NOT EXISTS payer_output (
  payout     INTEGER NOT NULL REFERENCES payer_payout (number),
  position   INTEGER NOT NULL CHECK (position >= 0),
  address    TEXT    NOT NULL,
  value_sats INTEGER NOT NULL CHECK (value_sats > 0),
  PRIMARY KEY (payout, position)
) STRICT;
