import { z } from 'zod'
import { NETWORK_NAMES } from '../../anchor/network.ts'
import { publicKeyOf } from '../../compute/work/worker-key.ts'
import { openExchange } from '../../compute/worker/exchange.ts'
import type { AddressChange } from '../log/address-change.ts'
import { askCoordinator } from './ask-coordinator.ts'

/** Tried again meanwhile, where that may help. */
const TIMEOUT_MS = 60_000

const infoAnswer = z.object({ origin: z.string(), network: z.enum(NETWORK_NAMES) })
const workerAnswer = z.object({
  address: z.string(),
  thresholdSats: z.string(),
  addressEntry: z.int(),
  pendingEntry: z.int().nullable(),
})

type PaidWorker = z.infer<typeof workerAnswer> & z.infer<typeof infoAnswer>

/** Where the coordinator pays a worker now. Throws ClientError. */
export async function readPaidWorker(url: string, key: Uint8Array): Promise<PaidWorker> {
  const info = infoAnswer.parse(await (await askCoordinator(url, '/v1/info')).json())
  const path = `/v1/workers/${Buffer.from(key).toString('hex')}`
  return { ...info, ...workerAnswer.parse(await (await askCoordinator(url, path)).json()) }
}

/** @returns the entry's index. Throws CoordinatorError. */
export async function changeAddress(
  url: string,
  origin: string,
  secretKey: Uint8Array,
  { worker, ...change }: AddressChange & { readonly signature: Uint8Array },
): Promise<number> {
  if (Buffer.compare(worker, publicKeyOf(secretKey)) !== 0)
    throw new Error("the change is of another worker's key")
  const exchange = openExchange({
    url,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    signer: { origin, secretKey },
    onRetry: () => undefined,
  })
  const answer = await exchange.post('/v1/workers/address', change)
  return z.object({ index: z.int() }).parse(JSON.parse(Buffer.from(answer).toString('utf8'))).index
}
