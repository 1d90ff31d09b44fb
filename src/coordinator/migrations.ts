import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { openDatabase } from '../store/open-database.ts'

/**
 * What leads from each version of the coordinator's tables to the next, the first from 1 to 2; the last leads to what
 * the schemas of this program have. Each is SQL that finds the tables as its version left them, and once released is never edited.
 */
const MIGRATIONS: readonly string[] = [
  // Keys get roles and stand in a table of their own; what is new by itself, its schema makes.
  `CREATE TABLE api_key (
     role       TEXT    NOT NULL CHECK (role IN ('operator', 'read_only', 'requester')),
     name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
     key_hash   BLOB    NOT NULL UNIQUE CHECK (length(key_hash) = 32),
     created_ms INTEGER NOT NULL,
     PRIMARY KEY (role, name)
   ) STRICT;
   INSERT INTO api_key (role, name, key_hash, created_ms) SELECT 'requester', name, key_hash, 0 FROM requester;
   CREATE TABLE requester_next (
     number          INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
     name            TEXT    NOT NULL UNIQUE,
     deposit_address TEXT    NOT NULL UNIQUE,
     refund_address  TEXT    NOT NULL,
     entry_index     INTEGER NOT NULL UNIQUE
   ) STRICT;
   INSERT INTO requester_next SELECT number, name, deposit_address, refund_address, entry_index FROM requester;
   DROP TABLE requester;
   ALTER TABLE requester_next RENAME TO requester;

   -- No subnet could be private. Outputs had the limit of any bundle.
   CREATE TABLE job_next (
     number        INTEGER NOT NULL PRIMARY KEY,
     id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
     bytes         BLOB    NOT NULL,
     subnet        TEXT    NOT NULL,
     model         BLOB    NOT NULL CHECK (length(model) = 32),
     input         BLOB    NOT NULL CHECK (length(input) = 32),
     input_salt    BLOB    NOT NULL CHECK (length(input_salt) = 32),
     origin_salt   BLOB    NOT NULL CHECK (length(origin_salt) = 32),
     origin_record BLOB    NOT NULL,
     item          INTEGER,
     requester     TEXT,
     charge_msat   INTEGER NOT NULL DEFAULT 0 CHECK (charge_msat >= 0),
     refund_entry  INTEGER,
     worker        BLOB    NOT NULL REFERENCES worker (key),
     epoch         INTEGER NOT NULL,
     units         INTEGER NOT NULL CHECK (units > 0),
     output_bytes  INTEGER NOT NULL CHECK (output_bytes > 0),
     entry_index   INTEGER NOT NULL,
     leased_ms     INTEGER NOT NULL,
     deadline_ms   INTEGER NOT NULL,
     unproven      INTEGER NOT NULL CHECK (unproven IN (0, 1)),
     is_private    INTEGER NOT NULL CHECK (is_private IN (0, 1)),
     state         TEXT    NOT NULL CHECK (state IN ('leased', 'released', 'answered', 'submitted'))
   ) STRICT;
   INSERT INTO job_next SELECT rowid, id, bytes, subnet, model, input, input_salt, origin_salt, origin_record, item, requester,
     charge_msat, refund_entry, worker, epoch, units, 67108864, entry_index, deadline_ms, deadline_ms, unproven, 0, state FROM job;
   DROP TABLE job;
   ALTER TABLE job_next RENAME TO job;

   -- Nobody had noted when work was leased and answered: as if it took no time.
   CREATE TABLE result_next (
     job     INTEGER NOT NULL PRIMARY KEY REFERENCES job (number),
     receipt BLOB NOT NULL CHECK (length(receipt) = 32),
     output  BLOB NOT NULL CHECK (length(output) = 32),
     salt    BLOB NOT NULL CHECK (length(salt) = 32),
     answered_ms INTEGER NOT NULL
   ) STRICT;
   INSERT INTO result_next SELECT number, receipt, output, salt, leased_ms FROM result JOIN job ON job.id = result.job;
   DROP TABLE result;
   ALTER TABLE result_next RENAME TO result;

   -- What the table of an epoch that is settled says stands in its blob alone.
   CREATE TABLE receipt_next (
     job         INTEGER NOT NULL PRIMARY KEY REFERENCES job (number),
     id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
     submission  INTEGER NOT NULL REFERENCES submission (entry_index),
     position    INTEGER NOT NULL,
     reward_msat INTEGER NOT NULL CHECK (reward_msat >= 0),
     sampled     INTEGER CHECK (sampled IN (0, 1)),
     verdict     TEXT CHECK (verdict IN ('pass', 'fail', 'void')),
     verdict_entry INTEGER,
     is_refuted INTEGER NOT NULL DEFAULT 0 CHECK (is_refuted IN (0, 1)),
     reason TEXT,
     UNIQUE (submission, position)
   ) STRICT;
   INSERT INTO receipt_next SELECT number, receipt.id, submission, position, reward_msat, sampled, verdict, verdict_entry,
     is_refuted, NULL FROM receipt JOIN job ON job.id = receipt.job;
   DROP TABLE receipt;
   ALTER TABLE receipt_next RENAME TO receipt;

   -- Rewards were by subnet: those wait for none of its models.
   CREATE TABLE accrual_next (
     epoch  INTEGER NOT NULL REFERENCES epoch (number),
     worker BLOB    NOT NULL REFERENCES worker (key),
     subnet TEXT    NOT NULL,
     model  TEXT    NOT NULL,
     msat   INTEGER NOT NULL CHECK (msat > 0),
     fate   TEXT CHECK (fate IN ('matured', 'forfeited')),
     PRIMARY KEY (epoch, worker, subnet, model)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO accrual_next SELECT epoch, worker, subnet, '', msat, fate FROM accrual;
   DROP TABLE accrual;
   ALTER TABLE accrual_next RENAME TO accrual;
   CREATE TABLE fee_next (
     receipt    BLOB    NOT NULL PRIMARY KEY REFERENCES receipt (id),
     epoch      INTEGER NOT NULL REFERENCES epoch (number),
     requester  TEXT    NOT NULL REFERENCES requester (name),
     worker     BLOB    NOT NULL REFERENCES worker (key),
     subnet     TEXT    NOT NULL,
     model      TEXT    NOT NULL,
     msat       INTEGER NOT NULL CHECK (msat >= 0),
     share_msat INTEGER NOT NULL CHECK (share_msat >= 0),
     fate       TEXT CHECK (fate IN ('matured', 'forfeited'))
   ) STRICT, WITHOUT ROWID;
   INSERT INTO fee_next SELECT receipt, epoch, requester, worker, subnet, '', msat, share_msat, fate FROM fee;
   DROP TABLE fee;
   ALTER TABLE fee_next RENAME TO fee;

   -- Receipts, their verdicts and rounds of audits were counted at each look.
   CREATE TABLE worker_tally (
     worker   BLOB    NOT NULL PRIMARY KEY REFERENCES worker (key),
     receipts INTEGER NOT NULL,
     passed   INTEGER NOT NULL DEFAULT 0,
     failed   INTEGER NOT NULL DEFAULT 0,
     void     INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   INSERT INTO worker_tally
     SELECT worker, count(*), sum(verdict IS 'pass'), sum(verdict IS 'fail'), sum(verdict IS 'void')
       FROM receipt JOIN submission ON submission.entry_index = receipt.submission GROUP BY worker;
   CREATE TABLE audit_tally (
     state  TEXT    NOT NULL PRIMARY KEY,
     rounds INTEGER NOT NULL CHECK (rounds >= 0)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO audit_tally SELECT state, count(*) FROM audit GROUP BY state;

   -- Workers alone were paid.
   CREATE TABLE payout_next (
     number      INTEGER NOT NULL PRIMARY KEY,
     entry_index INTEGER NOT NULL UNIQUE,
     payees      BLOB    NOT NULL CHECK (length(payees) = 32),
     last_account TEXT   NOT NULL,
     total_sats  INTEGER NOT NULL CHECK (total_sats > 0),
     height      INTEGER NOT NULL CHECK (height >= 0),
     state       TEXT    NOT NULL CHECK (state IN ('logged', 'settled', 'voided'))
   ) STRICT;
   INSERT INTO payout_next SELECT number, entry_index, payees, 'worker/' || lower(hex(last_worker)) || '/matured', total_sats,
     height, state FROM payout;
   DROP TABLE payout;
   ALTER TABLE payout_next RENAME TO payout;

   -- The treasury's own key alone could sign. A log that has no genesis yet has no payer's tables.
   CREATE TABLE IF NOT EXISTS payer_input (payout, position, txid, vout, value_sats);
   CREATE TABLE payer_input_next (
     payout     INTEGER NOT NULL REFERENCES payer_payout (number),
     position   INTEGER NOT NULL CHECK (position >= 0),
     txid       TEXT    NOT NULL CHECK (length(txid) = 64),
     vout       INTEGER NOT NULL CHECK (vout >= 0),
     value_sats INTEGER NOT NULL CHECK (value_sats > 0),
     key_index  INTEGER NOT NULL CHECK (key_index >= 0),
     PRIMARY KEY (payout, position),
     UNIQUE (txid, vout)
   ) STRICT;
   INSERT INTO payer_input_next SELECT payout, position, txid, vout, value_sats, 0 FROM payer_input;
   DROP TABLE payer_input;
   ALTER TABLE payer_input_next RENAME TO payer_input;

   -- No payout could be voided.
   CREATE TABLE IF NOT EXISTS payer_payout (number, id, state, total_sats, payment, child, trouble);
   CREATE TABLE payer_payout_next (
     number       INTEGER PRIMARY KEY,
     id           TEXT    NOT NULL UNIQUE,
     state        TEXT    NOT NULL CHECK (state IN ('pinned', 'prepared', 'broadcast', 'confirmed', 'settled', 'voided')),
     total_sats   INTEGER NOT NULL CHECK (total_sats > 0),
     payment      INTEGER REFERENCES payer_attempt (number),
     child        INTEGER REFERENCES payer_attempt (number),
     trouble      TEXT,
     CHECK (payment IS NOT NULL OR (child IS NULL AND state IN ('pinned', 'prepared', 'voided')))
   ) STRICT;
   INSERT INTO payer_payout_next SELECT number, id, state, total_sats, payment, child, trouble FROM payer_payout;
   DROP TABLE payer_payout;
   ALTER TABLE payer_payout_next RENAME TO payer_payout;

   -- What was held before retention began is held for good: nobody had said how long. Its sizes are not known here.
   CREATE TABLE held_blob (
     digest BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
     bytes  INTEGER NOT NULL CHECK (bytes >= 0),
     epoch  INTEGER,
     is_private INTEGER NOT NULL CHECK (is_private IN (0, 1))
   ) STRICT;
   DROP INDEX item_assigned;
   INSERT INTO held_blob SELECT digest, 0, NULL, 0 FROM (
     SELECT input AS digest FROM item UNION SELECT input FROM job UNION SELECT output FROM result
     UNION SELECT input FROM canary UNION SELECT output FROM canary);`,
  `-- A reservation was named for its job's hash; what has ended keeps its name. The ledger's schema makes the trigger anew.
   DROP TRIGGER ledger_transfer_no_update;
   UPDATE ledger_transfer AS pending SET id = 'charge/' || (SELECT number FROM job WHERE id = unhex(substr(pending.id, 8)))
    WHERE kind = 'pending' AND code = 'charge' AND length(id) = 71
      AND NOT EXISTS (SELECT 1 FROM ledger_transfer WHERE pending_id = pending.id);`,
]

/** The one database of a data folder, brought to this program's version first. Throws StoreError. */
export function openSiteDatabase(dataDir: string): Database {
  return openDatabase(join(dataDir, 'assay.sqlite'), MIGRATIONS)
}
