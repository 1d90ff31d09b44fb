import type { LogStore } from '../log/log-store.ts'
import { collectCosignatures } from '../monitor/collect-cosignatures.ts'
import type { Witness } from '../monitor/witness-client.ts'
import type { WitnessError } from '../monitor/witness-error.ts'

export interface WitnessStatus {
  /** Its key name. */
  readonly witness: string
  /** Of the last head that it cosigned for this process; null: none yet. */
  readonly size: number | null
  /** Unix seconds of that cosignature. */
  readonly timeUnix: number | null
  /** Why it did not cosign when it was last asked. */
  readonly error: { readonly code: WitnessError['code']; readonly detail: string } | null
  /** It knows a head that this log doesn't lead to: an old copy runs here, the log forked, or the witness lies. */
  readonly alarm: Alarm | null
}

interface Alarm {
  /** The head that it refused, signed by the log. */
  readonly refused: string
  /** The last that it cosigned for this process, as far as it is known. */
  readonly cosigned: string | null
}

/** Cosignatures of the log's head, beside everything else: nobody waits for a witness. */
export interface Witnessing extends AsyncDisposable {
  /** Asks them all for the present head, unless that is being done; returns at once. */
  collect(): void
  /** The log's signed head, with the cosignatures that it has. */
  checkpoint(): string
  list(): readonly WitnessStatus[]
  /** When what was asked for last is answered. */
  settled(): Promise<void>
}

const ALARMING: ReadonlySet<WitnessError['code']> = new Set(['witness_ahead', 'witness_conflict'])

export function openWitnessing(
  log: LogStore,
  witnesses: readonly Witness[],
  report: { onAlarm(status: WitnessStatus): void; onBug(error: unknown): void },
): Witnessing {
  const abort = new AbortController()
  const sizes = new Map<string, number>()
  /** By witness: the note of the log, with that one's line. */
  const cosigned = new Map<string, string>()
  let statuses: readonly WitnessStatus[] = witnesses.map(({ key }) => unasked(key.name))
  let head: { readonly size: number; readonly checkpoint: string } | null = null
  let running: Promise<void> | null = null

  async function collectOnce(): Promise<void> {
    const collected = await collectCosignatures(log, witnesses, { sizes, signal: abort.signal })
    if (abort.signal.aborted) return
    head = collected
    const before = statuses
    statuses = collected.outcomes.map(({ witness, timeUnix, error }, i): WitnessStatus => {
      const last = before[i] ?? unasked(witness)
      if (error === null) {
        cosigned.set(witness, collected.checkpoint)
        return { witness, size: collected.size, timeUnix, error: null, alarm: null }
      }
      const { code, message: detail } = error
      // A witness that only fails to answer has not taken its alarm back.
      const alarm = ALARMING.has(code)
        ? { refused: log.checkpoint(collected.size), cosigned: cosigned.get(witness) ?? null }
        : last.alarm
      return { ...last, error: { code, detail }, alarm }
    })
    for (const [i, status] of statuses.entries()) {
      if (status.alarm !== null && before[i]?.alarm === null) report.onAlarm(status)
    }
  }

  return {
    collect() {
      if (witnesses.length === 0 || log.size() === 0 || abort.signal.aborted) return
      running ??= collectOnce()
        .catch(report.onBug)
        .finally(() => {
          running = null
        })
    },
    checkpoint() {
      const size = log.size()
      return head?.size === size ? head.checkpoint : log.checkpoint(size)
    },
    list: () => statuses,
    settled: async () => running ?? undefined,
    async [Symbol.asyncDispose]() {
      abort.abort()
      await running
    },
  }
}

function unasked(witness: string): WitnessStatus {
  return { witness, size: null, timeUnix: null, error: null, alarm: null }
}
