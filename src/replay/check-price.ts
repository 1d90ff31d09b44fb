import type { EntryOf } from '../log/entry.ts'
import { nextPriceMsat } from '../rules/price.ts'
import { comingEpochs, type ReplayState } from './replay-state.ts'

/** One quote for each epoch, before it begins, as demand and supply so far make it. */
export function checkPrice(state: ReplayState, entry: EntryOf<'price'>, index: number): void {
  const check = state.findings.at('prices', index)
  const { subnet, epoch, msat, unserved: unservedUnits } = entry
  const firstMsat = state.markets.subnetsAt(epoch).find(({ name }) => name === subnet)?.price ?? 0n
  if (!check(firstMsat > 0n, 'price_of_nothing', () => `${subnet} sells nothing in epoch ${epoch}`)) return
  const { from, to } = comingEpochs(state, index)
  check(
    epoch >= from && epoch <= to,
    'price_out_of_turn',
    () => `quotes epoch ${epoch}, logged when ${from} to ${to} came next`,
  )
  const known = state.prices.get(subnet) ?? { quotes: [], settled: [], fresh: 0 }
  const last = known.quotes.at(-1)
  const isNew = last === undefined || last.epoch < epoch
  if (!check(isNew, 'price_repeated', () => `epoch ${last?.epoch} is quoted already`)) return
  const { settled, fresh } = known
  const due =
    last === undefined ? firstMsat : nextPriceMsat({ priceMsat: last.msat, settled, fresh, unservedUnits })
  check(msat === due, 'price_mismatch', () => `quotes ${msat} msat, recomputed ${due}`)
  known.quotes.push({ epoch, msat, entry: index })
  known.fresh = 0
  state.prices.set(subnet, known)
}
