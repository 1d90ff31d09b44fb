import type { RegtestNode } from '../../regtest/start-bitcoind.ts'
import type { ReadStatus } from '../client/status-answer.ts'
import type { Site } from './site.ts'
import { until } from './until.ts'

/** A restart after SIGKILL, and whatever one block may have made due, fit in easily. */
const BLOCK_LIMIT_MS = 60_000

/** What somebody may do at each moment of the demo. */
export type OnMoment = (moment: Moment, site: Site) => Promise<void>
export type Moment = 'mined' | 'asking' | 'worked'

/** Bitcoin's clock for the demo: a block when everything that the last one made due is done. */
interface BlockDriver {
  /** Mines one block and waits for the coordinator to have judged it and for the audits that it drew. */
  mineOne(): Promise<ReadStatus>
  height(): number
}

export function openBlockDriver(
  node: RegtestNode,
  site: Site,
  options: { height: number; onStatus: (status: ReadStatus) => void; onMoment: OnMoment },
): BlockDriver {
  let height = options.height
  return {
    height: () => height,
    async mineOne() {
      await node.mine(1)
      height += 1
      await options.onMoment('mined', site)
      const status = await until(
        `block ${height} to be judged and its audits done`,
        BLOCK_LIMIT_MS,
        async () => {
          site.assertRunning()
          const now = await site.status()
          options.onStatus(now)
          const judged = now.height !== null && now.height >= height && now.error === null
          return judged && (now.open === null || now.open.audits.rounds === 0) ? now : null
        },
      )
      return status
    },
  }
}
