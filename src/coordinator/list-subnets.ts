import type { Coordinator, OpenHouse } from './coordinator.ts'
import { epochNow } from './epoch-now.ts'
import { subnetPrices } from './subnet-prices.ts'

/** The definitions in force in the next block's epoch, those that wait for epoch 0 included, by name. */
export function listSubnets(coordinator: Coordinator, { genesis, desks }: OpenHouse) {
  const { db } = coordinator.books
  const itemsIn = db.prepare<[string], { state: string; count: bigint }>(
    'SELECT state, count(*) AS count FROM item WHERE subnet = ? GROUP BY state',
  )
  const earned = db
    .prepare<[string], bigint>('SELECT coalesce(sum(msat), 0) FROM accrual WHERE subnet = ?')
    .pluck()
  return subnetPrices(desks, epochNow(coordinator, genesis)).map(({ definition, ...prices }) => {
    const { name, models, dataset } = definition
    const states = new Map(itemsIn.all(name).map(({ state, count }) => [state, Number(count)]))
    const { objective, privacy, weight, auditFloor, effectiveEpoch } = definition
    return {
      name,
      objective,
      privacy,
      weight,
      auditFloor,
      effectiveEpoch,
      models: models.map(({ license, ...model }) => ({
        ...model,
        spdx: license.spdx,
        source: license.source,
      })),
      dataset: dataset && { items: dataset.items, perEpoch: dataset.perEpoch },
      ...prices,
      itemsOpen: states.get('open') ?? 0,
      itemsLeased: states.get('leased') ?? 0,
      itemsDone: states.get('done') ?? 0,
      earnedMsat: earned.get(name) ?? 0n,
    }
  })
}
