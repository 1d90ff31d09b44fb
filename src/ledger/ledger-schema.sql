-- The ledger: double entry after TigerBeetle's data model. Amounts are millisatoshis. What must hold of money stands
-- here, so that it also holds for whoever writes with another program; src/ledger/*.ts decides what to ask for.

-- One row per account, made by its first transfer. The four sums only ever follow from ledger_transfer.
CREATE TABLE IF NOT EXISTS ledger_account (
  name                TEXT    NOT NULL PRIMARY KEY,
  -- 1: owes to somebody (credits increase it); 0: an asset or expense (debits increase it).
  credit_normal       INTEGER NOT NULL CHECK (credit_normal IN (0, 1)),
  debits_pending_msat  INTEGER NOT NULL DEFAULT 0 CHECK (debits_pending_msat >= 0),
  debits_posted_msat   INTEGER NOT NULL DEFAULT 0 CHECK (debits_posted_msat >= 0),
  credits_pending_msat INTEGER NOT NULL DEFAULT 0 CHECK (credits_pending_msat >= 0),
  credits_posted_msat  INTEGER NOT NULL DEFAULT 0 CHECK (credits_posted_msat >= 0),
  -- 1: its sums were found to differ from its transfers; it takes part in none until the ledger is rebuilt.
  quarantined         INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
  -- Nobody is owed less than nothing, and what is reserved can't be spent twice. An asset has no such guard: what
  -- left the treasury on chain must be bookable, and reconciliation shows the hole.
  CHECK (credit_normal = 0 OR debits_posted_msat + debits_pending_msat <= credits_posted_msat)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_account_quarantined ON ledger_account (name) WHERE quarantined = 1;

CREATE TABLE IF NOT EXISTS ledger_transfer (
  sequence    INTEGER NOT NULL PRIMARY KEY,
  -- Given by whoever asks for the transfer, before asking: a retry is then no second transfer.
  id          TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 200),
  -- direct: posted at once. pending: reserved, until one post or void settles it.
  kind        TEXT    NOT NULL CHECK (kind IN ('direct', 'pending', 'post', 'void')),
  debit       TEXT    NOT NULL REFERENCES ledger_account (name),
  credit      TEXT    NOT NULL REFERENCES ledger_account (name),
  amount_msat INTEGER NOT NULL CHECK (amount_msat > 0),
  code        TEXT    NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
  -- Index of the log entry that justifies it.
  entry_index INTEGER NOT NULL CHECK (entry_index >= 0),
  -- The pending transfer that a post or void settles; null for the other kinds.
  pending_id  TEXT    UNIQUE REFERENCES ledger_transfer (id),
  CHECK (debit <> credit),
  CHECK ((kind IN ('post', 'void')) = (pending_id IS NOT NULL))
) STRICT;

CREATE INDEX IF NOT EXISTS ledger_transfer_debit ON ledger_transfer (debit);
CREATE INDEX IF NOT EXISTS ledger_transfer_credit ON ledger_transfer (credit);
CREATE INDEX IF NOT EXISTS ledger_transfer_entry ON ledger_transfer (entry_index);

-- Ids that were refused. They stay refused: a retry must not succeed later, when its sender has moved on.
CREATE TABLE IF NOT EXISTS ledger_refusal (
  id          TEXT    NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 200),
  reason      TEXT    NOT NULL,
  entry_index INTEGER NOT NULL CHECK (entry_index >= 0)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS ledger_transfer_guard BEFORE INSERT ON ledger_transfer BEGIN
  -- REPLACE deletes the old row without firing a DELETE trigger (SQLite, recursive_triggers off).
  SELECT RAISE(ABORT, 'transfers are immutable')
    WHERE EXISTS (SELECT 1 FROM ledger_transfer
                  WHERE id = NEW.id OR sequence = NEW.sequence OR pending_id = NEW.pending_id);
  SELECT RAISE(ABORT, 'an account is quarantined')
    WHERE EXISTS (SELECT 1 FROM ledger_account WHERE name IN (NEW.debit, NEW.credit) AND quarantined = 1);
  SELECT RAISE(ABORT, 'it settles no such pending transfer')
    WHERE NEW.pending_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM ledger_transfer
                      WHERE id = NEW.pending_id AND kind = 'pending' AND debit = NEW.debit
                        AND credit = NEW.credit AND amount_msat = NEW.amount_msat);
END;

-- The sums change with the transfer, in one statement. A sum past 2^63 − 1 becomes a REAL, which STRICT refuses.
CREATE TRIGGER IF NOT EXISTS ledger_transfer_apply AFTER INSERT ON ledger_transfer BEGIN
  UPDATE ledger_account SET
    debits_pending_msat = debits_pending_msat
      + CASE NEW.kind WHEN 'pending' THEN NEW.amount_msat WHEN 'direct' THEN 0 ELSE -NEW.amount_msat END,
    debits_posted_msat = debits_posted_msat
      + CASE WHEN NEW.kind IN ('direct', 'post') THEN NEW.amount_msat ELSE 0 END
    WHERE name = NEW.debit;
  UPDATE ledger_account SET
    credits_pending_msat = credits_pending_msat
      + CASE NEW.kind WHEN 'pending' THEN NEW.amount_msat WHEN 'direct' THEN 0 ELSE -NEW.amount_msat END,
    credits_posted_msat = credits_posted_msat
      + CASE WHEN NEW.kind IN ('direct', 'post') THEN NEW.amount_msat ELSE 0 END
    WHERE name = NEW.credit;
END;

CREATE TRIGGER IF NOT EXISTS ledger_transfer_no_update BEFORE UPDATE ON ledger_transfer BEGIN
  SELECT RAISE(ABORT, 'transfers are immutable');
END;
CREATE TRIGGER IF NOT EXISTS ledger_transfer_no_delete BEFORE DELETE ON ledger_transfer BEGIN
  SELECT RAISE(ABORT, 'transfers are immutable');
END;
CREATE TRIGGER IF NOT EXISTS ledger_refusal_no_update BEFORE UPDATE ON ledger_refusal BEGIN
  SELECT RAISE(ABORT, 'refusals are immutable');
END;
CREATE TRIGGER IF NOT EXISTS ledger_refusal_no_delete BEFORE DELETE ON ledger_refusal BEGIN
  SELECT RAISE(ABORT, 'refusals are immutable');
END;
CREATE TRIGGER IF NOT EXISTS ledger_refusal_no_replace BEFORE INSERT ON ledger_refusal BEGIN
  SELECT RAISE(ABORT, 'refusals are immutable') WHERE EXISTS (SELECT 1 FROM ledger_refusal WHERE id = NEW.id);
END;
CREATE TRIGGER IF NOT EXISTS ledger_account_no_delete BEFORE DELETE ON ledger_account BEGIN
  SELECT RAISE(ABORT, 'accounts are kept');
END;
CREATE TRIGGER IF NOT EXISTS ledger_account_no_rename BEFORE UPDATE OF name, credit_normal ON ledger_account BEGIN
  SELECT RAISE(ABORT, 'accounts are kept');
END;
