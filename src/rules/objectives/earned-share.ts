import type { Ratio } from '../sampling.ts'
import { latency } from './latency.ts'
import type { Objective } from './objective.ts'
import { throughput } from './throughput.ts'

/** By the coordinator's clock, in Unix ms. */
export interface AnsweredWork {
  readonly leasedMs: number
  readonly answeredMs: number
}

/** f of a receipt, from 0 to 1: what its subnet's objective leaves of its reward. */
export function earnedShare(objective: Objective, { leasedMs, answeredMs }: AnsweredWork): Ratio {
  switch (objective.name) {
    case 'throughput':
      return throughput()
    case 'latency':
      return latency(objective, answeredMs - leasedMs)
  }
}
