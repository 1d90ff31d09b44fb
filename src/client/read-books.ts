import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { askCoordinator, ClientError } from './ask-coordinator.ts'
import { readStatus } from './read-status.ts'
import type { ReadStatus } from './status-answer.ts'

/** Pages of one moment are had at once where there is one, and soon where the log grows each second. */
const MAX_TRIES = 10

/** Of a thousand accounts each: far more than any operator's, and few enough to be held. */
const MAX_PAGES = 2_000

/** One page of GET /v1/accounts; money is a decimal string. */
export const accountsAnswer = z.object({
  size: z.int(),
  accounts: z.array(z.object({ account: z.string(), msat: z.string() })),
  next: z.string().nullable(),
})

type Accounts = z.infer<typeof accountsAnswer>['accounts']

/** The status and every account of the books at one moment. Throws ClientError. */
export async function readBooks(url: string): Promise<{ status: ReadStatus; accounts: Accounts }> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const status = await readStatus(url)
    if (status.open === null) return { status, accounts: [] }
    const accounts = await readAccounts(url, status.log.size)
    if (accounts !== null && isOneMoment(status, await readStatus(url))) return { status, accounts }
  }
  throw new ClientError(
    'log_moving',
    null,
    `the books changed during each of ${MAX_TRIES} readings: ask again`,
  )
}

/** A payout that is settled in the chain moves money without an entry: no page says so. */
function isOneMoment(before: ReadStatus, after: ReadStatus): boolean {
  const momentOf = ({ log, open }: ReadStatus) => [log.size, open?.balances]
  return isDeepStrictEqual(momentOf(before), momentOf(after))
}

/** Null where the log has grown beyond `size` meanwhile. */
async function readAccounts(url: string, size: number): Promise<Accounts | null> {
  const accounts: Accounts = []
  let after: string | null = null
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const query: string = after === null ? '' : `?after=${encodeURIComponent(after)}`
    const response = await askCoordinator(url, `/v1/accounts${query}`)
    const page = accountsAnswer.parse(await response.json())
    if (page.size !== size) return null
    accounts.push(...page.accounts)
    if (page.next === null) return accounts
    if (after !== null && page.next <= after) break
    after = page.next
  }
  throw new ClientError('accounts_endless', null, `${url} shows pages of accounts without an end`)
}
