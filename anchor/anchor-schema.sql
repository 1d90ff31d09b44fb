-- Every anchor transaction that was ever planned. Attempts form a tree: `parent` made the seal that this one
-- spends (NULL: the first seal of genesis), and siblings compete for it. The log's one history is the path of
-- mined ones. Nothing is deleted: an older sibling can still be mined while no sibling is final.
CREATE TABLE IF NOT EXISTS anchor_attempt (
  id              INTEGER PRIMARY KEY,
  parent          INTEGER REFERENCES anchor_attempt (id),
  anchor_index    INTEGER NOT NULL CHECK (anchor_index BETWEEN 0 AND 4294967295),
  -- planned: the row alone · signed: final bytes kept · broadcast: the node took it · refused: the node did not,
  -- by policy · mined: in the best chain · final: deep enough, never judged again.
  state           TEXT    NOT NULL CHECK (state IN ('planned', 'signed', 'broadcast', 'refused', 'mined', 'final')),
  -- Among siblings the greatest turn stands for the seal: the newest, or the one that was mined last. 0: refused.
  turn            INTEGER NOT NULL CHECK (turn >= 0),
  -- Chain height from which it waits to be mined; a higher tip makes a replacement due.
  since_height    INTEGER NOT NULL CHECK (since_height >= 0),
  -- The checkpoint that it commits to.
  size            INTEGER NOT NULL CHECK (size >= 0),
  root            BLOB    NOT NULL CHECK (length(root) = 32),
  payload         BLOB    NOT NULL CHECK (length(payload) = 40),
  -- The coin that refills the seal, input 1.
  top_up_txid     TEXT    CHECK (length(top_up_txid) = 64),
  top_up_vout     INTEGER CHECK (top_up_vout >= 0),
  top_up_sats     INTEGER CHECK (top_up_sats >= 0),
  fee_sats        INTEGER NOT NULL CHECK (fee_sats >= 0),
  -- What the seal that it makes holds.
  output_sats     INTEGER NOT NULL CHECK (output_sats >= 0),
  vsize           INTEGER NOT NULL CHECK (vsize > 0),
  txid            TEXT UNIQUE CHECK (length(txid) = 64),
  raw             BLOB,
  -- The block in which it was last seen: of the best chain only while the state is mined or final. Kept whole,
  -- since a pruned node forgets.
  height          INTEGER CHECK (height >= 0),
  block_hash      TEXT CHECK (length(block_hash) = 64),
  header          BLOB CHECK (length(header) = 80),
  branch_position INTEGER CHECK (branch_position >= 0),
  branch_siblings BLOB CHECK (length(branch_siblings) % 32 = 0),
  CHECK ((raw IS NULL) = (state = 'planned') AND (raw IS NULL) = (txid IS NULL)),
  CHECK ((top_up_txid IS NULL) = (top_up_vout IS NULL) AND (top_up_txid IS NULL) = (top_up_sats IS NULL)),
  CHECK ((height IS NULL) = (block_hash IS NULL) AND (height IS NULL) = (header IS NULL)
    AND (height IS NULL) = (branch_position IS NULL) AND (height IS NULL) = (branch_siblings IS NULL)),
  CHECK (state NOT IN ('mined', 'final') OR height IS NOT NULL)
) STRICT;

CREATE INDEX IF NOT EXISTS anchor_attempt_by_parent ON anchor_attempt (parent, turn);
CREATE INDEX IF NOT EXISTS anchor_attempt_by_state ON anchor_attempt (state, anchor_index);
-- One output is spent once, so one attempt at each index is in the chain.
CREATE UNIQUE INDEX IF NOT EXISTS anchor_attempt_in_chain
  ON anchor_attempt (anchor_index) WHERE state IN ('mined', 'final');
-- Which covers an entry: sizes never shrink from one index to the next.
CREATE INDEX IF NOT EXISTS anchor_attempt_by_size
  ON anchor_attempt (size, anchor_index) WHERE state IN ('mined', 'final');

-- The log size up to which somebody asked for an anchor; met as soon as an anchor covers it.
CREATE TABLE IF NOT EXISTS anchor_request (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL CHECK (size >= 0)
) STRICT;

-- The end of the chain of seals: a foreign transaction has spent the last one, and is as deep as an anchor that is
-- final. It stays.
CREATE TABLE IF NOT EXISTS anchor_break (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  -- Of the anchor that can't be made any more.
  anchor_index INTEGER NOT NULL CHECK (anchor_index >= 0),
  txid         TEXT    NOT NULL CHECK (length(txid) = 64),
  height       INTEGER NOT NULL CHECK (height >= 0)
) STRICT;
