import { join } from 'node:path'
import { conformanceCases } from '../conformance/conformance-cases.ts'
import { requireConformance } from '../conformance/require-conformance.ts'
import { type PoolOptions, startRunnerPool } from '../runtime/runner-pool.ts'
import { hex } from '../work/hex.ts'
import { sha256 } from '../work/tagged-hash.ts'
import { publicKeyOf } from '../work/worker-key.ts'
import { signRegistration } from '../work/worker-registration.ts'
import type { CheckAcknowledgement } from './acknowledgement.ts'
import { auditLoop } from './audit-loop.ts'
import { createCatalog } from './catalog.ts'
import { openCoordinatorClient } from './coordinator-client.ts'
import type { CoordinatorError } from './coordinator-error.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { openExchange } from './exchange.ts'
import { createModelCache } from './model-cache.ts'
import { openSpool } from './spool.ts'
import { workLoop } from './work-loop.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** After the last run; what is not delivered by then waits in the spool for the next start. */
const DRAIN_LIMIT_MS = 60_000

export interface WorkerOptions {
  coordinatorUrl: string
  /** Spool and models live here; one process at a time. */
  dataDir: string
  secretKey: Uint8Array
  /** Where its earnings go. */
  address: string
  /** It is paid nothing below; 0: as the operator will. */
  thresholdSats: bigint
  provider: PoolOptions['provider']
  devices: PoolOptions['devices']
  concurrency: PoolOptions['concurrency']
  /** Of model files on the disk; those unused for longest go first. */
  maxModelBytes: number
  /** Take jobs although the device gets a conformance case wrong. */
  despiteFaults: boolean
  /** Audits only, jobs only, or both. */
  audit: 'also' | 'only' | 'never'
  /** For tests and demos: in this share of its jobs, 0 to 1, it sends other outputs than it got. */
  cheatShare?: number
  /** Given what the coordinator first says of its log (a C2SP verifier key); what it throws ends the worker. */
  trustLog: (log: { origin: string; logKey: string }) => CheckAcknowledgement
  /** Ends the worker once it has run and delivered what it holds. */
  signal: AbortSignal
  onEvent: OnWorkerEvent
}

class DrainError extends Error {
  readonly code = 'drain_incomplete'

  constructor() {
    super(`not everything could be delivered in ${DRAIN_LIMIT_MS} ms; the rest is kept for the next start`)
    this.name = 'DrainError'
  }
}

/**
 * Works and audits until `signal`. Throws what `trustLog` and its check throw, CoordinatorError, ChainError, SpoolError, RunError (`provider_unavailable`), ConformanceError,
 * DrainError; receipts that are not acknowledged stay in the spool.
 */
export async function runWorker(o: WorkerOptions): Promise<void> {
  const { secretKey, onEvent } = o
  // Ends everything at once: when a part has failed, or draining takes too long.
  const halt = new AbortController()
  const line = {
    url: o.coordinatorUrl,
    signal: halt.signal,
    onRetry: ({ code, message }: CoordinatorError) => onEvent({ type: 'warning', code, detail: message }),
  }
  const reader = openCoordinatorClient(openExchange({ ...line, signer: null }))
  const info = await unlessStopped(o.signal, reader.info(o.signal))
  if (info === null) return
  const { origin } = info
  // Before anything is signed for this log.
  const checkAcknowledgement = o.trustLog(info)
  const exchange = openExchange({ ...line, signer: { origin, secretKey } })
  const client = openCoordinatorClient(exchange)
  const registration = signRegistration(o.address, origin, secretKey, o.thresholdSats)
  const index = await unlessStopped(o.signal, client.register(registration, o.signal))
  if (index === null) return
  const worker = hex(registration.worker)
  onEvent({ type: 'registered', worker, index })
  if (o.audit === 'only') {
    const auditors = await unlessStopped(o.signal, client.auditors(o.signal))
    if (auditors === null) return
    if (!auditors.includes(worker)) {
      const detail = `it gets no audits until the operator admits it: assay auditor admit ${worker}`
      onEvent({ type: 'warning', code: 'auditor_not_admitted', detail })
    }
  }
  const spool = openSpool(spoolPath(o.dataDir, origin, secretKey))
  try {
    const runner = await startRunnerPool({
      provider: o.provider,
      devices: o.devices,
      concurrency: o.concurrency,
      onEvent(event) {
        if (event.kind !== 'provider_refused') return
        onEvent({ type: 'warning', code: event.kind, detail: `${event.provider}: ${event.reason}` })
      },
    })
    try {
      const cases = conformanceCases()
      for (const one of runner.onePerDevice) {
        await requireConformance(one, cases, {
          despiteFaults: o.despiteFaults,
          onFault: (detail) => onEvent({ type: 'warning', code: 'conformance_failed', detail }),
        })
      }
    } catch (error) {
      await runner[Symbol.asyncDispose]()
      throw error
    }
    onEvent({ type: 'started', provider: runner.provider, device: runner.device })
    const models = createModelCache({
      exchange,
      folder: join(o.dataDir, 'models'),
      maxBytes: o.maxModelBytes,
      onEvent,
    })
    const bench = { catalog: createCatalog(client, info, halt.signal), models, runner }
    const parts = {
      client,
      origin,
      secretKey,
      checkAcknowledgement,
      bench,
      stop: o.signal,
      signal: halt.signal,
      onEvent,
    }
    const delivery = createDelivery({ ...parts, spool })
    const working = [
      ...(o.audit === 'only' ? [] : [workLoop({ ...parts, delivery, cheatShare: o.cheatShare ?? 0 })]),
      ...(o.audit === 'never' ? [] : [auditLoop(parts)]),
    ]
    const draining = Promise.all(working).then(() => drain(delivery, halt))
    const running = [...working, draining, delivery.run()]
    try {
      await Promise.all(running)
    } finally {
      halt.abort()
      await runner[Symbol.asyncDispose]()
      await Promise.allSettled(running)
      delivery.flush()
    }
  } finally {
    spool.closeFile()
  }
}

/** Null when the worker was stopped meanwhile. */
async function unlessStopped<T>(signal: AbortSignal, call: Promise<T>): Promise<T | null> {
  try {
    return await call
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}

function drain(delivery: Delivery, halt: AbortController): void {
  delivery.close()
  setTimeout(() => halt.abort(new DrainError()), DRAIN_LIMIT_MS).unref()
}

/** One file per key and log: receipts of one are of no use to another. */
function spoolPath(dataDir: string, origin: string, secretKey: Uint8Array): string {
  const log = hex(sha256(Buffer.from(origin, 'utf8'))).slice(0, 16)
  return join(dataDir, 'spool', `${log}-${hex(publicKeyOf(secretKey))}.sqlite`)
}
