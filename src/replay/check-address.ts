import { parseAddress } from '../../anchor/address.ts'
import { checkSignedMessage } from '../../anchor/bip322.ts'
import { hex } from '../../compute/work/hex.ts'
import { addressChangeMessage } from '../log/address-change.ts'
import type { EntryOf } from '../log/entry.ts'
import { readable } from './findings.ts'
import type { ReplayState } from './replay-state.ts'
import { scriptOf } from './script-of.ts'

/** A new address that can be paid, signed by the one that it replaces. Whether it ever comes into force, anchors say. */
export function checkAddress(state: ReplayState, entry: EntryOf<'address'>, index: number): void {
  const check = state.findings.at('workers', index)
  const { network, origin } = state.genesis
  const { worker, address, thresholdSats, replaces, expiryHeight, signature } = entry
  readable(check, () => parseAddress(address, network))
  const declarations = state.workers.get(hex(worker))?.declarations ?? []
  const old = declarations.find((one) => one.entry === replaces)
  if (!check(old !== undefined, 'address_unknown', () => `entry ${replaces} is no address of ${hex(worker)}`))
    return
  const script = scriptOf(old?.address ?? '', network)
  check(
    script !== null && checkSignedMessage(addressChangeMessage(entry, origin), script, signature),
    'signature_invalid',
    () => `not signed by ${old?.address}`,
  )
  declarations.push({ entry: index, address, thresholdSats, change: { replaces, expiryHeight } })
}
