import { parseAddress } from '../../anchor/address.ts'
import { hex } from '../../compute/work/hex.ts'
import { checkRegistration } from '../../compute/work/worker-registration.ts'
import type { EntryOf } from '../log/entry.ts'
import { readable } from './findings.ts'
import type { ReplayState } from './replay-state.ts'

/** A key registers once, by its own signature, with an address that can be paid. */
export function checkWorker(state: ReplayState, entry: EntryOf<'worker'>, index: number): void {
  const check = state.findings.at('workers', index)
  const { worker: key, address, thresholdSats } = entry
  check(
    checkRegistration(entry, state.genesis.origin),
    'signature_invalid',
    () => 'not signed by the key for this log',
  )
  readable(check, () => parseAddress(address, state.genesis.network))
  const isNew = !state.workers.has(hex(key))
  if (!check(isNew, 'worker_repeated', () => `${hex(key)} is registered already`)) return
  const declared = { entry: index, address, thresholdSats, change: null }
  state.workers.set(hex(key), {
    key,
    address,
    declarations: [declared],
    entry: index,
    nextSequence: 0,
    previous: new Uint8Array(32),
  })
}
