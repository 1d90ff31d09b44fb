import type { Database } from 'better-sqlite3'

/** By kind of account (src/ledger/accounts.ts), on its normal side: names of workers, requesters and epochs left aside. */
const BALANCES = `
  SELECT CASE WHEN instr(name, '/') = 0 THEN name
              WHEN name GLOB 'worker/*' THEN substr(name, length('worker/') + 64 + length('/') + 1)
              ELSE substr(name, 1, instr(name, '/') - 1) END AS kind,
         sum((credits_posted_msat - debits_posted_msat) * (2 * credit_normal - 1))
    FROM ledger_account GROUP BY kind`

/** Sums of posted millisatoshis; a kind that has no account yet isn't there. */
export function prepareBalancesByKind(db: Database): () => [kind: string, msat: bigint][] {
  const balances = db.prepare<[], [string, bigint]>(BALANCES).raw()
  return () => balances.all()
}
