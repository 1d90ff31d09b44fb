import { rmSync } from 'node:fs'
import { P2TR_DUST_SATS } from '../../anchor/dust.ts'
import { openNode } from '../../anchor/node.ts'
import { startBitcoind } from '../../regtest/start-bitcoind.ts'
import { exactProfile } from '../../src/client/exact-profile.ts'
import { publishSubnet, type SubnetDraft } from '../../src/client/publish-subnet.ts'
import type { ReadStatus } from '../../src/client/status-answer.ts'
import { BLOCKS_TO_START, MAX_BLOCKS, ORIGIN, SEAL_SATS, TREASURY_SATS } from '../../src/demo/demo-plan.ts'
import { openBlockDriver } from '../../src/demo/drive-blocks.ts'
import { freshAddress, openSite, type Site } from '../../src/demo/site.ts'
import { until } from '../../src/demo/until.ts'
import { createPeer, type Peer } from '../../test/src/coordinator/peer.ts'
import type { BenchModel } from './bench-models.ts'

const START_LIMIT_MS = 60_000
const JUDGE_LIMIT_MS = 60_000
const DRAIN_LIMIT_MS = 120_000

export interface BenchSite extends AsyncDisposable {
  readonly site: Site
  /** Registered, and by the formats alone what workers are by a program. */
  readonly peers: readonly Peer[]
  /** One block, judged; the audits that it draws may be under way. */
  mine(): Promise<void>
  /** Once every answer that was given is in the log. */
  drained(): Promise<ReadStatus>
}

/** Coordinator, workers and an auditor as programs of their own over a real bitcoind, in epoch 0 with this subnet. */
export async function openBenchSite(
  subnet: SubnetDraft,
  count: { workers: number; peers: number },
): Promise<BenchSite> {
  await using stack = new AsyncDisposableStack()
  const node = stack.use(await startBitcoind())
  const chain = openNode(node.rpc, 'regtest')
  await node.fund(freshAddress(), P2TR_DUST_SATS)
  const { height } = await chain.chain()
  const site = stack.use(
    await openSite(node, {
      method: 'dual',
      height,
      // All of it is by keys that have no rewards to lose yet.
      settings: { 'audits.maxOpenPerAuditor': '1000000' },
    }),
  )
  await site.startCoordinator()
  const { anchorAddress, treasuryAddress } = await site.status()
  await node.fund(anchorAddress, SEAL_SATS)
  await node.fund(treasuryAddress, TREASURY_SATS)
  const driver = openBlockDriver(node, site, {
    height: (await chain.chain()).height,
    onStatus: () => undefined,
    onMoment: async () => undefined,
  })
  await mineUntil(({ open }) => open !== null)
  await publishSubnet(site.url, site.token(), subnet)
  for (let worker = 1; worker <= count.workers; worker += 1) site.startWorker(`worker-${worker}`, 'also')
  site.startWorker('auditor', 'only')
  const peers = Array.from({ length: count.peers }, () => createPeer({ url: site.url, origin: ORIGIN }))
  for (const peer of peers) await peer.register()
  await until('the workers and the auditor to register', START_LIMIT_MS, async () => {
    site.assertRunning()
    return (await site.status()).open?.workers.length === count.workers + count.peers + 1 ? true : null
  })
  if ((await chain.chain()).height > height + BLOCKS_TO_START) throw new Error('epoch 0 began too early')
  await mineUntil(({ open }) => open?.epoch === 0)
  const parts = stack.move()
  return {
    site,
    peers,
    async mine() {
      await node.mine(1)
      const { height: tip } = await chain.chain()
      await until('the block to be judged', JUDGE_LIMIT_MS, async () => {
        site.assertRunning()
        return ((await site.status()).height ?? 0) >= tip ? true : null
      })
    },
    drained: () =>
      until('all work to be in the log', DRAIN_LIMIT_MS, async () => {
        site.assertRunning()
        const status = await site.status()
        const { work } = status.open ?? {}
        const rest = (work?.jobsLeased ?? 1) + (work?.jobsAnswered ?? 1) + (work?.requestsOpen ?? 1)
        return rest === 0 ? status : null
      }),
    async [Symbol.asyncDispose]() {
      await parts[Symbol.asyncDispose]()
      rmSync(site.folder, { recursive: true, force: true })
    },
  }

  async function mineUntil(done: (status: ReadStatus) => boolean): Promise<void> {
    for (let blocks = 0; blocks < MAX_BLOCKS; blocks += 1) {
      if (done(await driver.mineOne())) return
    }
    throw new Error(`${MAX_BLOCKS} blocks did not bring it; the logs are in ${site.folder}`)
  }
}

/** A subnet of these models that nobody pays for, so that nothing but the work is measured. */
export function benchMarket(models: readonly BenchModel[]): SubnetDraft {
  return {
    name: 'bench',
    auditFloor: { numerator: 1, denominator: 100 },
    effectiveEpoch: 0,
    objective: { name: 'throughput' },
    operatorBasisPoints: 0,
    price: 0n,
    privacy: 'public',
    weight: 1,
    models: models.map(({ name, file, unitsPerItem }) => ({
      name,
      file,
      license: { redistributable: true, source: 'made by bench/compute/bench-models.ts', spdx: 'MIT' },
      profile: exactProfile(),
      falseFailRate: { numerator: 1, denominator: 1_000_000 },
      unitsPerItem,
      version: 1,
    })),
    dataset: null,
  }
}
