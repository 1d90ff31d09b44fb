import { z } from 'zod'
import { askCoordinator, ClientError } from './ask-coordinator.ts'
import { readStatus } from './read-status.ts'
import type { ReadStatus } from './status-answer.ts'

/** A payout is settled once in hours, an epoch once in a day. */
const MAX_TRIES = 3

/** Of a thousand accounts each: far more than any operator's, and few enough to be held. */
const MAX_PAGES = 2_000

/** One page of GET /v1/accounts; money is a decimal string. */
export const accountsAnswer = z.object({
  size: z.int(),
  accounts: z.array(z.object({ account: z.string(), msat: z.string() })),
  next: z.string().nullable(),
})

type Accounts = z.infer<typeof accountsAnswer>['accounts']

/** The status and every account of the books by the log's size in it. Throws ClientError. */
export async function readBooks(url: string): Promise<{ status: ReadStatus; accounts: Accounts }> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const status = await readStatus(url)
    if (status.open === null) return { status, accounts: [] }
    const accounts = await readAccounts(url, status.log.size)
    if (accounts !== null && settledIn(status) === settledIn(await readStatus(url))) {
      return { status, accounts }
    }
  }
  throw new ClientError(
    'books_moving',
    null,
    `an epoch or a payout was settled during each of ${MAX_TRIES} readings: ask again`,
  )
}

/** A payout that is settled in the chain moves money without an entry: no page says so. */
function settledIn({ open }: ReadStatus): number | undefined {
  return open?.payouts.filter(({ state }) => state === 'settled').length
}

/** Null where too much has moved since the log had that size. */
async function readAccounts(url: string, size: number): Promise<Accounts | null> {
  const accounts: Accounts = []
  let after: string | null = null
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const query: string = after === null ? '' : `&after=${encodeURIComponent(after)}`
    const response = await askCoordinator(url, `/v1/accounts?size=${size}${query}`).catch((error) => {
      if (error instanceof ClientError && error.code === 'size_gone') return null
      throw error
    })
    if (response === null) return null
    const page = accountsAnswer.parse(await response.json())
    if (page.size !== size) {
      throw new ClientError('answer_malformed', null, `${url} was asked for accounts by ${size} entries`)
    }
    accounts.push(...page.accounts)
    if (page.next === null) return accounts
    if (after !== null && page.next <= after) break
    after = page.next
  }
  throw new ClientError('accounts_endless', null, `${url} shows pages of accounts without an end`)
}
