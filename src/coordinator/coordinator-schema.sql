-- The coordinator's own tables: work on its way from lease to verdict. Everything that decides money can be
-- rebuilt from log + blobs + chain; a row here changes in the same transaction as the entry that says so.

-- Workers and auditors by BIP-340 key, with the head of each one's chain of submissions.
CREATE TABLE IF NOT EXISTS worker (
  key           BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
  address       TEXT    NOT NULL,
  threshold_sats INTEGER NOT NULL CHECK (threshold_sats >= 0),
  entry_index   INTEGER NOT NULL UNIQUE,
  next_sequence INTEGER NOT NULL DEFAULT 0 CHECK (next_sequence >= 0),
  previous      BLOB    NOT NULL DEFAULT (zeroblob(32)) CHECK (length(previous) = 32)
) STRICT;

-- Changes of a worker's address, signed by the old one. Which is in force follows from their anchors (src/rules/pay-to.ts).
CREATE TABLE IF NOT EXISTS address_change (
  entry_index    INTEGER NOT NULL PRIMARY KEY,
  worker         BLOB    NOT NULL REFERENCES worker (key),
  address        TEXT    NOT NULL,
  threshold_sats INTEGER NOT NULL CHECK (threshold_sats >= 0),
  replaces       INTEGER NOT NULL,
  expiry_height  INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS address_change_of ON address_change (worker);

-- The operator's decisions on who may audit; the last one on each key counts.
CREATE TABLE IF NOT EXISTS admission (
  entry_index INTEGER NOT NULL PRIMARY KEY,
  worker      BLOB    NOT NULL REFERENCES worker (key),
  admitted    INTEGER NOT NULL CHECK (admitted IN (0, 1)),
  reason      TEXT    NOT NULL
) STRICT;

-- Every definition that a subnet ever had; the newest one that is effective counts.
CREATE TABLE IF NOT EXISTS subnet (
  entry_index INTEGER NOT NULL PRIMARY KEY,
  name        TEXT    NOT NULL,
  definition  BLOB    NOT NULL CHECK (length(definition) = 32)
) STRICT;

-- Items of open datasets, one row for each (model, input): work that the beacon may assign.
CREATE TABLE IF NOT EXISTS item (
  subnet TEXT    NOT NULL,
  model  BLOB    NOT NULL CHECK (length(model) = 32),
  item   INTEGER NOT NULL CHECK (item >= 0),
  input  BLOB    NOT NULL CHECK (length(input) = 32),
  state  TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'leased', 'done')),
  -- The last epoch that put it up for work, and the worker that this epoch's beacon assigned it to.
  epoch    INTEGER,
  assignee BLOB,
  PRIMARY KEY (subnet, model, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_assigned ON item (epoch, state, assignee);
CREATE INDEX IF NOT EXISTS item_done ON item (subnet) WHERE state = 'done';

-- A job is one lease of one piece of work. `origin_record` and `salt` are secret until settlement.
CREATE TABLE IF NOT EXISTS job (
  -- In the order of leases, as what comes of jobs is: new rows stand together, where a hash would scatter them over pages.
  number        INTEGER NOT NULL PRIMARY KEY,
  id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
  bytes         BLOB    NOT NULL,
  subnet        TEXT    NOT NULL,
  model         BLOB    NOT NULL CHECK (length(model) = 32),
  input         BLOB    NOT NULL CHECK (length(input) = 32),
  input_salt    BLOB    NOT NULL CHECK (length(input_salt) = 32),
  origin_salt   BLOB    NOT NULL CHECK (length(origin_salt) = 32),
  origin_record BLOB    NOT NULL,
  -- Dataset item, or null for a request.
  item          INTEGER,
  -- Who asked, or null where nobody did; what it costs is reserved in the ledger until it is settled or refunded.
  requester     TEXT,
  charge_msat   INTEGER NOT NULL DEFAULT 0 CHECK (charge_msat >= 0),
  -- The entry that says that it bought nothing.
  refund_entry  INTEGER,
  worker        BLOB    NOT NULL REFERENCES worker (key),
  epoch         INTEGER NOT NULL,
  units         INTEGER NOT NULL CHECK (units > 0),
  -- Its output bundle has no more.
  output_bytes  INTEGER NOT NULL CHECK (output_bytes > 0),
  entry_index   INTEGER NOT NULL,
  leased_ms     INTEGER NOT NULL,
  deadline_ms   INTEGER NOT NULL,
  -- Leased to a worker with nothing unmatured: it will be audited for certain.
  unproven      INTEGER NOT NULL CHECK (unproven IN (0, 1)),
  -- By the definition that it was leased under.
  is_private    INTEGER NOT NULL CHECK (is_private IN (0, 1)),
  state         TEXT    NOT NULL CHECK (state IN ('leased', 'released', 'answered', 'submitted'))
) STRICT;
-- Everything that is asked of jobs under way at each lease.
CREATE INDEX IF NOT EXISTS job_under_way ON job (state, worker, deadline_ms, requester, unproven, epoch)
  WHERE state = 'leased' OR state = 'answered';
CREATE INDEX IF NOT EXISTS job_charged ON job (state, epoch) WHERE charge_msat > 0;
CREATE INDEX IF NOT EXISTS job_item ON job (subnet, model, item) WHERE item IS NOT NULL;

-- Answers that the operator knows, each for one lease.
CREATE TABLE IF NOT EXISTS canary (
  number INTEGER NOT NULL PRIMARY KEY,
  subnet TEXT    NOT NULL,
  model  BLOB    NOT NULL CHECK (length(model) = 32),
  input  BLOB    NOT NULL CHECK (length(input) = 32),
  output BLOB    NOT NULL CHECK (length(output) = 32),
  items  INTEGER NOT NULL CHECK (items > 0),
  -- The job that it was leased as; null before.
  job    BLOB UNIQUE REFERENCES job (id),
  UNIQUE (model, input)
) STRICT;
CREATE INDEX IF NOT EXISTS canary_left ON canary (subnet, model, number) WHERE job IS NULL;

-- A worker's answer, held until its submission comes: the outputs are in the blob store under `output`.
CREATE TABLE IF NOT EXISTS result (
  job     INTEGER NOT NULL PRIMARY KEY REFERENCES job (number),
  receipt BLOB NOT NULL CHECK (length(receipt) = 32),
  output  BLOB NOT NULL CHECK (length(output) = 32),
  salt    BLOB NOT NULL CHECK (length(salt) = 32),
  -- When this receipt first came, never before its job was leased.
  answered_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS submission (
  entry_index    INTEGER NOT NULL PRIMARY KEY,
  id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
  worker         BLOB    NOT NULL REFERENCES worker (key),
  sequence       INTEGER NOT NULL,
  count          INTEGER NOT NULL CHECK (count > 0),
  -- The worker's unmatured rewards at this log index: what the audit rate follows (DESIGN §7).
  unmatured_msat INTEGER NOT NULL CHECK (unmatured_msat >= 0),
  -- Set when its audits have been drawn.
  drawn_height   INTEGER,
  UNIQUE (worker, sequence)
) STRICT;

CREATE INDEX IF NOT EXISTS submission_undrawn ON submission (entry_index) WHERE drawn_height IS NULL;

CREATE TABLE IF NOT EXISTS receipt (
  job         INTEGER NOT NULL PRIMARY KEY REFERENCES job (number),
  id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
  submission  INTEGER NOT NULL REFERENCES submission (entry_index),
  position    INTEGER NOT NULL,
  -- Expected reward at submission, for the audit rate; what is paid is decided at settlement.
  reward_msat INTEGER NOT NULL CHECK (reward_msat >= 0),
  sampled     INTEGER CHECK (sampled IN (0, 1)),
  -- Verdict once the rounds are over: null while undecided.
  verdict     TEXT CHECK (verdict IN ('pass', 'fail', 'void')),
  verdict_entry INTEGER,
  -- Set at settlement where it failed, was void, or came from a suspended worker: it stands in no other's way.
  is_refuted INTEGER NOT NULL DEFAULT 0 CHECK (is_refuted IN (0, 1)),
  -- What the epoch's table of accruals says of it; null until it is settled.
  reason TEXT,
  UNIQUE (submission, position)
) STRICT;
-- Asked for at every block: what waits for a verdict, among all receipts there ever were.
CREATE INDEX IF NOT EXISTS receipt_undecided ON receipt (id) WHERE sampled = 1 AND verdict IS NULL;
-- Counted while work comes.
CREATE INDEX IF NOT EXISTS receipt_unsettled ON receipt (submission) WHERE reason IS NULL;

-- How many receipts each worker has, and their verdicts: what is shown at each look isn't counted anew.
CREATE TABLE IF NOT EXISTS worker_tally (
  worker   BLOB    NOT NULL PRIMARY KEY REFERENCES worker (key),
  receipts INTEGER NOT NULL,
  passed   INTEGER NOT NULL DEFAULT 0,
  failed   INTEGER NOT NULL DEFAULT 0,
  void     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TRIGGER IF NOT EXISTS submission_tally AFTER INSERT ON submission BEGIN
  INSERT INTO worker_tally (worker, receipts) VALUES (NEW.worker, NEW.count)
    ON CONFLICT (worker) DO UPDATE SET receipts = receipts + NEW.count;
END;
-- A verdict is said once.
CREATE TRIGGER IF NOT EXISTS verdict_tally AFTER UPDATE OF verdict ON receipt
  WHEN OLD.verdict IS NULL AND NEW.verdict IS NOT NULL BEGIN
  UPDATE worker_tally
     SET passed = passed + (NEW.verdict = 'pass'), failed = failed + (NEW.verdict = 'fail'), void = void + (NEW.verdict = 'void')
   WHERE worker = (SELECT worker FROM submission WHERE entry_index = NEW.submission);
END;

-- One row for each round of each audit: an auditor drawn by the beacon.
CREATE TABLE IF NOT EXISTS audit (
  receipt      BLOB    NOT NULL REFERENCES receipt (id),
  round        INTEGER NOT NULL CHECK (round BETWEEN 0 AND 2),
  auditor      BLOB    NOT NULL REFERENCES worker (key),
  drawn_height INTEGER NOT NULL,
  state        TEXT    NOT NULL CHECK (state IN ('drawn', 'committed', 'pass', 'fail', 'inconclusive')),
  commitment   BLOB CHECK (length(commitment) = 32),
  -- The log entry that closed the round.
  verdict_entry INTEGER,
  PRIMARY KEY (receipt, round)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS audit_open ON audit (auditor, state);
CREATE INDEX IF NOT EXISTS audit_under_way ON audit (drawn_height) WHERE state IN ('drawn', 'committed');

-- How many rounds stand where: a scrape doesn't count them anew.
CREATE TABLE IF NOT EXISTS audit_tally (
  state  TEXT    NOT NULL PRIMARY KEY,
  rounds INTEGER NOT NULL CHECK (rounds >= 0)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS audit_drawn AFTER INSERT ON audit BEGIN
  INSERT INTO audit_tally VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET rounds = rounds + 1;
END;
CREATE TRIGGER IF NOT EXISTS audit_moved AFTER UPDATE OF state ON audit BEGIN
  UPDATE audit_tally SET rounds = rounds - 1 WHERE state = OLD.state;
  INSERT INTO audit_tally VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET rounds = rounds + 1;
END;

-- Bundles of inputs and outputs, by SHA-256: held at least until the retention of this epoch's work is over (src/rules/retention.ts).
CREATE TABLE IF NOT EXISTS held_blob (
  digest BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
  bytes  INTEGER NOT NULL CHECK (bytes >= 0),
  -- Null: for good.
  epoch  INTEGER,
  -- Named by private work alone: shown to nobody but its auditors.
  is_private INTEGER NOT NULL CHECK (is_private IN (0, 1))
) STRICT;
CREATE INDEX IF NOT EXISTS held_blob_epoch ON held_blob (epoch) WHERE epoch IS NOT NULL;

-- Bytes in that table, and those that have left it.
CREATE TABLE IF NOT EXISTS held_sum (
  one       INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  held      INTEGER NOT NULL CHECK (held >= 0),
  collected INTEGER NOT NULL CHECK (collected >= 0)
) STRICT;
INSERT OR IGNORE INTO held_sum VALUES (1, 0, 0);
CREATE TRIGGER IF NOT EXISTS held_more AFTER INSERT ON held_blob BEGIN
  UPDATE held_sum SET held = held + new.bytes;
END;
CREATE TRIGGER IF NOT EXISTS held_less AFTER DELETE ON held_blob BEGIN
  UPDATE held_sum SET held = held - old.bytes, collected = collected + old.bytes;
END;

-- An epoch gets its row when its budget is fixed, when its work is assigned or when it is settled, whichever is first.
CREATE TABLE IF NOT EXISTS epoch (
  number        INTEGER NOT NULL PRIMARY KEY CHECK (number >= 0),
  budget_entry  INTEGER UNIQUE,
  budget_msat   INTEGER NOT NULL DEFAULT 0 CHECK (budget_msat >= 0),
  -- Entries that were final when it began: the quotes among them are its prices.
  quoted_size   INTEGER CHECK (quoted_size >= 0),
  assigned      INTEGER NOT NULL DEFAULT 0 CHECK (assigned IN (0, 1)),
  settled       INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1)),
  -- Null for an epoch that had neither budget nor work.
  settled_entry INTEGER UNIQUE,
  matured_entry INTEGER UNIQUE
) STRICT;

-- What the books and the chain said of each other when an epoch had been settled. `differs` is a JSON list of names.
CREATE TABLE IF NOT EXISTS reconciliation (
  epoch   INTEGER NOT NULL PRIMARY KEY REFERENCES epoch (number),
  height  INTEGER NOT NULL CHECK (height >= 0),
  ok      INTEGER NOT NULL CHECK (ok IN (0, 1)),
  differs TEXT    NOT NULL
) STRICT;

-- What each worker earned in an epoch, by subnet ('(audit)' for audits) and model (its digest in hex, '' for audits): the table
-- that the epoch's entry names.
CREATE TABLE IF NOT EXISTS accrual (
  epoch  INTEGER NOT NULL REFERENCES epoch (number),
  worker BLOB    NOT NULL REFERENCES worker (key),
  subnet TEXT    NOT NULL,
  model  TEXT    NOT NULL,
  msat   INTEGER NOT NULL CHECK (msat > 0),
  -- Null: unmatured.
  fate   TEXT CHECK (fate IN ('matured', 'forfeited')),
  PRIMARY KEY (epoch, worker, subnet, model)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accrual_unmatured ON accrual (worker) WHERE fate IS NULL;

-- Workers that a verdict was ever said on. `failed_by` and `fails` are JSON, as src/rules/standings.ts has them.
CREATE TABLE IF NOT EXISTS standing (
  worker       BLOB    NOT NULL PRIMARY KEY REFERENCES worker (key),
  score        INTEGER NOT NULL CHECK (score >= 0),
  failed_by    TEXT    NOT NULL,
  fails        TEXT    NOT NULL,
  standing     TEXT    NOT NULL CHECK (standing IN ('good', 'held', 'suspended')),
  -- The `status` entry that last said so; null before the first.
  status_entry INTEGER UNIQUE
) STRICT;
CREATE INDEX IF NOT EXISTS standing_by_state ON standing (standing);

-- What known answers say of auditors, in the same way.
CREATE TABLE IF NOT EXISTS auditor_record (
  auditor   BLOB    NOT NULL PRIMARY KEY REFERENCES worker (key),
  score     INTEGER NOT NULL CHECK (score >= 0),
  failed_by TEXT    NOT NULL,
  fails     TEXT    NOT NULL
) STRICT;

-- Every suspension that ever was.
CREATE TABLE IF NOT EXISTS suspension (
  status_entry   INTEGER NOT NULL PRIMARY KEY,
  worker         BLOB    NOT NULL REFERENCES worker (key),
  forfeit_entry  INTEGER UNIQUE,
  forfeited_msat INTEGER NOT NULL DEFAULT 0 CHECK (forfeited_msat >= 0),
  returned_entry INTEGER UNIQUE
) STRICT;
CREATE INDEX IF NOT EXISTS suspension_of ON suspension (worker, status_entry);

-- The last verdict on each worker for each model, which is named `subnet/digest`.
CREATE TABLE IF NOT EXISTS model_audit (
  model       TEXT    NOT NULL,
  worker      BLOB    NOT NULL REFERENCES worker (key),
  entry_index INTEGER NOT NULL,
  PRIMARY KEY (model, worker)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS frozen_model (
  model        TEXT    NOT NULL PRIMARY KEY,
  status_entry INTEGER UNIQUE
) STRICT;

-- Verdicts on frozen models, in their order, until the operator says whether they count.
CREATE TABLE IF NOT EXISTS audit_aside (
  position    INTEGER NOT NULL PRIMARY KEY,
  model       TEXT    NOT NULL,
  entry_index INTEGER NOT NULL,
  receipt     BLOB    NOT NULL REFERENCES receipt (id),
  auditor     BLOB    NOT NULL REFERENCES worker (key),
  verdict     TEXT    NOT NULL CHECK (verdict IN ('pass', 'fail'))
) STRICT;

-- Workers that the log before this one owed something: where they are paid until they register here, and what of it had
-- not matured there.
CREATE TABLE IF NOT EXISTS inheritance (
  worker         BLOB    NOT NULL PRIMARY KEY CHECK (length(worker) = 32),
  address        TEXT    NOT NULL,
  unmatured_msat INTEGER NOT NULL CHECK (unmatured_msat >= 0),
  is_due         INTEGER NOT NULL DEFAULT 0 CHECK (is_due IN (0, 1)),
  -- As an accrual's.
  fate           TEXT CHECK (fate IN ('matured', 'forfeited'))
) STRICT, WITHOUT ROWID;

-- Payouts from their entry on: with it, and in one transaction, an input is pinned and the payees' balances move.
CREATE TABLE IF NOT EXISTS payout (
  number      INTEGER NOT NULL PRIMARY KEY,
  entry_index INTEGER NOT NULL UNIQUE,
  payees      BLOB    NOT NULL CHECK (length(payees) = 32),
  -- The last that it pays: the next payout begins behind it.
  last_account TEXT   NOT NULL,
  total_sats  INTEGER NOT NULL CHECK (total_sats > 0),
  -- Height of the tip at which it was planned.
  height      INTEGER NOT NULL CHECK (height >= 0),
  -- voided: its payees are owed again what it was to pay.
  state       TEXT    NOT NULL CHECK (state IN ('logged', 'settled', 'voided'))
) STRICT;

-- What payouts pay and have paid, account by account; what a void gave back to its account is not among it. That is
-- looked for (+) by the payout's account, which has few transfers.
CREATE VIEW IF NOT EXISTS paid AS
  SELECT sequence, entry_index, debit AS account, amount_msat AS msat FROM ledger_transfer AS part
   WHERE code = 'payout' AND NOT EXISTS (
     SELECT 1 FROM ledger_transfer AS back WHERE back.debit = part.credit AND +back.credit = part.debit
   );

CREATE TABLE IF NOT EXISTS deposit (
  txid        TEXT    NOT NULL,
  vout        INTEGER NOT NULL,
  sats        INTEGER NOT NULL CHECK (sats > 0),
  entry_index INTEGER NOT NULL UNIQUE,
  PRIMARY KEY (txid, vout)
) STRICT;

-- Who may ask for what costs something; `number` is that of its deposit key.
CREATE TABLE IF NOT EXISTS requester (
  number          INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
  name            TEXT    NOT NULL UNIQUE,
  deposit_address TEXT    NOT NULL UNIQUE,
  refund_address  TEXT    NOT NULL,
  entry_index     INTEGER NOT NULL UNIQUE
) STRICT;

-- Who may ask for what, beside the operator's token; of the keys only the hashes are kept. A requester's is named for its account.
CREATE TABLE IF NOT EXISTS api_key (
  role       TEXT    NOT NULL CHECK (role IN ('operator', 'read_only', 'requester')),
  name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  key_hash   BLOB    NOT NULL UNIQUE CHECK (length(key_hash) = 32),
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (role, name)
) STRICT;

-- What requesters want back and no payout has taken yet; it counts against what they may spend.
CREATE TABLE IF NOT EXISTS withdrawal (
  requester TEXT    NOT NULL PRIMARY KEY REFERENCES requester (name),
  msat      INTEGER NOT NULL CHECK (msat > 0)
) STRICT, WITHOUT ROWID;

-- Quotes, in msat per 10^15 units.
CREATE TABLE IF NOT EXISTS price (
  entry_index INTEGER NOT NULL PRIMARY KEY,
  subnet      TEXT    NOT NULL,
  epoch       INTEGER NOT NULL,
  msat        INTEGER NOT NULL CHECK (msat > 0)
) STRICT;
CREATE INDEX IF NOT EXISTS price_subnet ON price (subnet, entry_index);

-- What was asked and answered in each settled epoch, by the index of its entry. Sums of units in decimal: a fast
-- machine's day goes past 2^63.
CREATE TABLE IF NOT EXISTS demand (
  entry_index    INTEGER NOT NULL,
  subnet         TEXT    NOT NULL,
  asked_units    TEXT    NOT NULL,
  answered_units TEXT    NOT NULL,
  PRIMARY KEY (subnet, entry_index)
) STRICT, WITHOUT ROWID;

-- What requesters paid for each receipt, in its two parts.
CREATE TABLE IF NOT EXISTS fee (
  receipt    BLOB    NOT NULL PRIMARY KEY REFERENCES receipt (id),
  epoch      INTEGER NOT NULL REFERENCES epoch (number),
  requester  TEXT    NOT NULL REFERENCES requester (name),
  worker     BLOB    NOT NULL REFERENCES worker (key),
  subnet     TEXT    NOT NULL,
  model      TEXT    NOT NULL,
  msat       INTEGER NOT NULL CHECK (msat >= 0),
  share_msat INTEGER NOT NULL CHECK (share_msat >= 0),
  -- Null: unmatured.
  fate       TEXT CHECK (fate IN ('matured', 'forfeited'))
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fee_unmatured ON fee (worker, epoch, subnet, model) WHERE fate IS NULL;
