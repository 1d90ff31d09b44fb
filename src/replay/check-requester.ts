import { requesterAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import type { ReplayState } from './replay-state.ts'
import { scriptOf } from './script-of.ts'

/** An account of its own, at an address of its own: a coin there is nobody else's. */
export function checkRequester(state: ReplayState, entry: EntryOf<'requester'>, index: number): void {
  const check = state.findings.at('requesters', index)
  const { requester, address, refund } = entry
  const { network } = state.genesis
  const script = scriptOf(address, network)
  check(script !== null, 'address_invalid', () => `${address}, for deposits, can't be paid`)
  check(scriptOf(refund, network) !== null, 'address_invalid', () => `${refund}, for refunds, can't be paid`)
  // What a closed log owed to this name is its owner's, whoever comes first.
  const isOwed = state.balances.of(requesterAccount(requester)) > 0n
  const isNew = !isOwed && !state.requesters.has(requester)
  if (!check(isNew, 'requester_repeated', () => `${requester} has an account already`)) return
  const taken = [state.treasury, ...Array.from(state.requesters.values(), (one) => one.script)]
  const isOwn = !taken.some((one) => one !== null && script !== null && Buffer.compare(one, script) === 0)
  check(isOwn, 'address_repeated', () => `${address} is another's`)
  state.requesters.set(requester, { script, refundAddress: refund })
}
