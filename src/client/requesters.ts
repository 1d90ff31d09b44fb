import { z } from 'zod'
import { askCoordinator, ClientError, type Operator } from './ask-coordinator.ts'

/** Of a hundred requesters each: far more than any operator's, and few enough to be held. */
const MAX_PAGES = 10_000

/** A requester's account; money comes as decimal strings. */
const account = z.object({
  requester: z.string(),
  depositAddress: z.string(),
  refundAddress: z.string(),
})
const holding = account.extend({
  balanceMsat: z.string(),
  reservedMsat: z.string(),
  withdrawingMsat: z.string(),
  availableMsat: z.string(),
})

const listAnswer = z.object({ requesters: z.array(holding) })

export type RequesterHolding = z.infer<typeof holding>

interface Owner {
  readonly url: string
  readonly apiKey: string
}

/** The API key is shown this once. Throws ClientError. */
export async function openAccount(url: string, requester: string, refundAddress: string) {
  const body = Buffer.from(JSON.stringify({ requester, refundAddress }))
  const response = await askCoordinator(url, '/v1/requesters', { method: 'POST', body })
  return account.extend({ apiKey: z.string() }).parse(await response.json())
}

export async function readAccount({ url, apiKey }: Owner, requester: string): Promise<RequesterHolding> {
  return holding.parse(await (await askCoordinator(url, pathOf(requester), { token: apiKey })).json())
}

/** Everybody's, page by page. */
export async function listRequesters({ url, token }: Operator): Promise<{ requesters: RequesterHolding[] }> {
  const all: RequesterHolding[] = []
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const after: string = all.at(-1)?.requester ?? ''
    const query: string = after === '' ? '' : `?after=${after}`
    const response = await askCoordinator(url, `/v1/operator/requesters${query}`, { token })
    const { requesters } = listAnswer.parse(await response.json())
    const [first] = requesters
    if (first === undefined) return { requesters: all }
    if (first.requester <= after) break
    all.push(...requesters)
  }
  throw new ClientError('requesters_endless', null, `${url} shows pages of requesters without an end`)
}

/** In the place of what was asked back before; 0 is nothing. */
export async function withdraw(
  { url, apiKey }: Owner,
  requester: string,
  msat: bigint,
): Promise<RequesterHolding> {
  const body = Buffer.from(JSON.stringify({ msat: `${msat}` }))
  const path = `${pathOf(requester)}/withdrawals`
  return holding.parse(
    await (await askCoordinator(url, path, { method: 'POST', token: apiKey, body })).json(),
  )
}

function pathOf(requester: string): string {
  return `/v1/requesters/${encodeURIComponent(requester)}`
}
