import { z } from 'zod'
import { askCoordinator, ClientError } from './ask-coordinator.ts'
import { type ReadStatus, readStatus } from './read-status.ts'

/** Pages of one moment are had at once where there is one, and soon where the log grows each second. */
const MAX_TRIES = 10

/** One page of GET /v1/accounts; money is a decimal string. */
export const accountsAnswer = z.object({
  size: z.int(),
  accounts: z.array(z.object({ account: z.string(), msat: z.string() })),
  next: z.string().nullable(),
})

type Accounts = z.infer<typeof accountsAnswer>['accounts']

/** The status and every account of the books at one size of the log. Throws ClientError. */
export async function readBooks(url: string): Promise<{ status: ReadStatus; accounts: Accounts }> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const status = await readStatus(url)
    const accounts = status.open === null ? [] : await readAccounts(url, status.log.size)
    if (accounts !== null) return { status, accounts }
  }
  throw new ClientError('log_moving', null, `the log grew during each of ${MAX_TRIES} readings: ask again`)
}

/** Null where the log has grown beyond `size` meanwhile. */
async function readAccounts(url: string, size: number): Promise<Accounts | null> {
  const accounts: Accounts = []
  let query = ''
  for (;;) {
    const response = await askCoordinator(url, `/v1/accounts${query}`)
    const page = accountsAnswer.parse(await response.json())
    if (page.size !== size) return null
    accounts.push(...page.accounts)
    if (page.next === null) return accounts
    query = `?after=${encodeURIComponent(page.next)}`
  }
}
