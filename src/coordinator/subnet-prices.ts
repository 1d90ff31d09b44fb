import type { SubnetDefinition } from '../subnet/definition.ts'
import type { Desks } from './desks.ts'

/** In msat for 10^15 units; null: none yet. */
export interface SubnetPrices {
  readonly definition: SubnetDefinition
  readonly priceMsat: bigint | null
  readonly nextPriceMsat: bigint | null
}

/** Of the definitions in force in `epoch`, that of the next block, by name; null stands for before epoch 0. */
export function subnetPrices({ market, prices }: Desks, epoch: number | null): SubnetPrices[] {
  const next = epoch === null ? 0 : epoch + 1
  return market.subnetsAt(epoch ?? 0).map((definition) => ({
    definition,
    priceMsat: epoch === null ? null : prices.seenAt(definition.name, epoch),
    nextPriceMsat: prices.quoted(definition.name, next),
  }))
}
