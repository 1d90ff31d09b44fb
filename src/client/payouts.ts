import { z } from 'zod'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { askCoordinator, type Operator } from './ask-coordinator.ts'

/** The operator's side of payouts; money comes as decimal strings. */
const due = z.object({ account: z.string(), address: z.string(), sats: z.string() })
const stop = z.object({ reason: z.string(), sinceMs: z.int() }).nullable()
const planAnswer = z.object({
  height: z.int(),
  payees: z.array(due),
  held: z.array(due.extend({ reason: z.string() })),
  totalSats: z.string(),
  quote: z
    .object({
      coins: z.array(z.object({ txid: z.string(), vout: z.int(), valueSats: z.string() })),
      vsize: z.int(),
      feeSats: z.string(),
    })
    .nullable(),
  trouble: z.string().nullable(),
  stopped: stop,
})
const runAnswer = z.object({
  payouts: z.array(z.object({ number: z.int(), totalSats: z.string(), state: z.string() })),
  trouble: z.string().nullable(),
})

export const voidedPayout = z.object({
  payout: z.int(),
  spends: z.array(z.object({ txid: z.string(), height: z.int() })),
  spentSats: z.string(),
  paid: z.array(z.int()),
  entryIndex: z.int(),
})

export type ReadPayoutPlan = z.infer<typeof planAnswer>

const PATH = '/v1/operator/payouts'

export async function readPayoutPlan({ url, token }: Operator): Promise<ReadPayoutPlan> {
  return planAnswer.parse(await (await askCoordinator(url, `${PATH}/plan`, { token })).json())
}

export async function runPayouts({ url, token }: Operator): Promise<z.infer<typeof runAnswer>> {
  const response = await askCoordinator(url, `${PATH}/run`, { method: 'POST', token })
  return runAnswer.parse(await response.json())
}

export async function stopPayouts({ url, token }: Operator, reason: string): Promise<z.infer<typeof stop>> {
  const body = encodeCbor({ reason })
  const response = await askCoordinator(url, `${PATH}/stop`, { method: 'POST', token, body })
  return z.object({ stopped: stop }).parse(await response.json()).stopped
}

export async function resumePayouts({ url, token }: Operator): Promise<void> {
  await askCoordinator(url, `${PATH}/resume`, { method: 'POST', token })
}

export async function voidPayout(
  { url, token }: Operator,
  payout: number,
): Promise<z.infer<typeof voidedPayout>> {
  const response = await askCoordinator(url, `${PATH}/${payout}/void`, { method: 'POST', token })
  return voidedPayout.parse(await response.json())
}

/** The unsigned PSBT of a payout. */
export async function exportPsbt({ url, token }: Operator, payout: number): Promise<Uint8Array> {
  const response = await askCoordinator(url, `${PATH}/${payout}/psbt`, { token })
  return new Uint8Array(await response.arrayBuffer())
}

/** @returns the txid that will be broadcast. */
export async function importPsbt(
  { url, token }: Operator,
  payout: number,
  psbt: Uint8Array,
): Promise<string> {
  const response = await askCoordinator(url, `${PATH}/${payout}/psbt`, { method: 'POST', token, body: psbt })
  return z.object({ txid: z.string() }).parse(await response.json()).txid
}
