import type { Coordinator, OpenHouse } from '../coordinator/coordinator.ts'
import { doubtOf } from '../coordinator/halt.ts'
import { RefusedError } from '../coordinator/refused-error.ts'

/** The coordinator's rooms, or 503 until the first seal is funded and the log has its genesis. */
export function openHouseOf(coordinator: Coordinator): OpenHouse {
  const house = coordinator.house()
  if (house === null) {
    throw new RefusedError(
      503,
      'not_open',
      `the log is not open yet: fund the first seal at ${coordinator.anchorAddress} and wait for ` +
        `${coordinator.config.epoch.finalDepth} confirmations`,
    )
  }
  return house
}

/** The same for whatever writes: refused while the log stands still, since what is appended now may be a fork. */
export function workingHouseOf(coordinator: Coordinator): OpenHouse {
  const house = openHouseOf(coordinator)
  assertWorking(house.anchorer)
  return house
}

/** Height of the last whole round. Throws RefusedError 503 `starting` before the first. */
export function tipOf(coordinator: Pick<Coordinator, 'advancedTo'>): number {
  const tip = coordinator.advancedTo()
  if (tip === null) throw new RefusedError(503, 'starting', 'the chain has not been looked at yet; ask again')
  return tip
}

/** Throws RefusedError 503 `log_halted` while it is in doubt whether this database is the log's newest. */
export function assertWorking(anchorer: Pick<OpenHouse['anchorer'], 'judgement'>): void {
  const doubt = doubtOf(anchorer.judgement())
  if (doubt === null) return
  throw new RefusedError(503, 'log_halted', `the log stands still until it has caught up: ${doubt}`)
}
