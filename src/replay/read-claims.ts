import { readBooks } from '../client/read-books.ts'
import type { Claims } from './replay-source.ts'

/** What a running coordinator says of its books; null before its log is open. Throws ClientError. */
export async function readClaims(url: string): Promise<Claims | null> {
  const { status, accounts } = await readBooks(url)
  const { log, open } = status
  if (open === null) return null
  return {
    size: log.size,
    accounts: new Map(accounts.map(({ account, msat }) => [account, BigInt(msat)])),
    payments: new Map(
      open.payouts.map(({ number, state, txid, height, feeSats, child }) => [
        number,
        { settled: state === 'settled', txid, height, feeSats: BigInt(feeSats), child },
      ]),
    ),
  }
}
