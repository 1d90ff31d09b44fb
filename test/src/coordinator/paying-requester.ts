import { z } from 'zod'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import type { LeasedJob, Peer } from './peer.ts'
import { leaseAnswer } from './peer.ts'

const opened = z.object({ requester: z.string(), apiKey: z.string(), depositAddress: z.string() })
const balances = z.object({
  balanceMsat: z.string().transform(BigInt),
  reservedMsat: z.string().transform(BigInt),
  withdrawingMsat: z.string().transform(BigInt),
  availableMsat: z.string().transform(BigInt),
})

export type PayingRequester = Awaited<ReturnType<typeof openRequester>>

/** A requester with an account, speaking HTTP alone. */
export async function openRequester(
  site: { readonly url: string },
  requester: string,
  refundAddress = taprootAddress(publicKeyOf(newWorkerKey()), 'regtest'),
) {
  const response = await fetch(new URL('/v1/requesters', site.url), {
    method: 'POST',
    body: JSON.stringify({ requester, refundAddress }),
  })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  const { apiKey, depositAddress } = opened.parse(await response.json())
  const authorization = `Bearer ${apiKey}`
  return {
    requester,
    depositAddress,
    refundAddress,
    authorization,
    ask: (value = 1.5) => ask(site, value, { authorization }),
    withdraw: (msat: unknown, key = authorization) =>
      fetch(new URL(`/v1/requesters/${requester}/withdrawals`, site.url), {
        method: 'POST',
        headers: { authorization: key },
        body: JSON.stringify({ msat }),
      }),
    async balances() {
      const answer = await fetch(new URL(`/v1/requesters/${requester}`, site.url), {
        headers: { authorization },
      })
      return balances.parse(await answer.json())
    },
  }
}

/** One row for the tiny market's model. */
export function ask(
  site: { readonly url: string },
  value: number,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(new URL('/v2/models/identity/infer', site.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [value, -value] }] }),
  })
}

/** The one job that is leased to this worker next, once it is there. */
export async function leaseOne(worker: Peer): Promise<LeasedJob> {
  const { jobs } = leaseAnswer.parse(await worker.call('/v1/leases', { max: 1, waitMs: 10_000 }))
  const [job] = jobs
  if (job === undefined) throw new Error('nothing came to be leased')
  return job
}
