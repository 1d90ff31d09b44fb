import { randomInt } from 'node:crypto'
import { RefusedError } from '../coordinator/refused-error.ts'
import { ANONYMOUS } from '../log/entry.ts'
import type { ModelStatistics } from '../oip/model-statistics.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { ServedModel, ServedModels } from './served-models.ts'

/** Requests whose leases are further apart are few enough to be looked at one by one. */
const MAX_WAIT_MS = 60 * 60 * 1000

/** As the request beside it has them. */
interface Manner {
  readonly timeoutMs: number
  readonly priority: number
}

/**
 * Asks what the operator knows the answer of, as a requester would: queued, leased and counted like any. Told of each request
 * that is leased; a canary comes after it by a part of the time since the one before, as the next request might.
 */
export function openCanaryRequests(
  models: ServedModels,
  {
    statistics,
    holding,
    onBug,
  }: { statistics: ModelStatistics; holding: HeldBytes; onBug: (error: unknown) => void },
): (request: ServedModel, manner: Manner) => void {
  let lastMs = performance.now()

  async function ask(
    { subnet, model, version }: ServedModel,
    { timeoutMs, priority }: Manner,
  ): Promise<void> {
    const { canaries, requests } = models.desks()
    const canary = canaries.take({ subnet, model })
    if (canary === null) return
    const running = statistics.begin(model.name, version)
    running.asked()
    try {
      await holding(canary.inputs.length, () =>
        requests.ask({
          subnet,
          model,
          inputs: canary.inputs,
          items: canary.items,
          requester: ANONYMOUS,
          quoteMsat: 0n,
          deadlineMs: Date.now() + timeoutMs,
          priority,
          onTaken: running.taken,
          canary,
        }),
      )
      running.answered()
      running.succeeded(canary.items)
    } catch (error) {
      running.failed(error)
      throw error
    } finally {
      canaries.giveBack(canary)
    }
  }

  return (request, manner) => {
    const nowMs = performance.now()
    const gapMs = Math.min(Math.ceil(nowMs - lastMs), MAX_WAIT_MS)
    lastMs = nowMs
    if (!models.desks().canaries.isDue(request)) return
    setTimeout(
      () => {
        ask(request, manner).catch((error: unknown) => {
          // No worker took it, or the log stands still: as it happens to requests.
          if (!(error instanceof RefusedError)) onBug(error)
        })
      },
      randomInt(gapMs + 1),
    ).unref()
  }
}
