import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { BitcoinRpc } from '../../../anchor/rpc.ts'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import type { RegtestNode } from '../../../regtest/start-bitcoind.ts'
import { createApp } from '../../../src/api/app.ts'
import { type Listening, listen } from '../../../src/api/listen.ts'
import { decideAuditor } from '../../../src/client/auditors.ts'
import { publishSubnet, type SubnetDraft } from '../../../src/client/publish-subnet.ts'
import type { Config } from '../../../src/config/config-schema.ts'
import { parseConfig } from '../../../src/config/parse-config.ts'
import { type Coordinator, type OpenHouse, openCoordinator } from '../../../src/coordinator/coordinator.ts'
import { type Reconciliation, reconcile } from '../../../src/coordinator/reconcile.ts'
import { type OpenStatus, statusOf } from '../../../src/coordinator/status.ts'
import { deriveKeys, type Keys } from '../../../src/keystore/derive-keys.ts'
import { newMnemonic } from '../../../src/keystore/mnemonic.ts'
import { createFailureCounter } from '../../../src/metrics/failure-counter.ts'
import { anchoredView } from '../../../src/rules/anchored.ts'
import { createPeer, type Peer } from './peer.ts'
import { tinyMarket } from './tiny-market.ts'

export const ORIGIN = 'test.assay.example/log'
export const TOKEN = 'the operator of the test'
export const SEAL_SATS = 1_000_000n
export const TREASURY_SATS = 2_000_000n
/** Of each of the first epochs; the later ones have none. */
export const BUDGET_MSAT = 60_000_000n
/** 95 % of it go to those who computed, if they answer all 24 items that the tiny market offers: to each its part (DESIGN §8). */
export const REWARD_MSAT = (BUDGET_MSAT * 95n) / 100n / 24n
const BUDGETED_EPOCHS = 4n

/** The shortest calendar in which every step still has a block of its own. */
const CALENDAR = {
  'epoch.blocks': '6',
  'epoch.verdictBlocks': '8',
  'epoch.finalDepth': '2',
  'epoch.beaconDelay': '1',
  'epoch.maturityBlocks': '3',
  'epoch.auditRoundBlocks': '1',
  'epoch.suspensionBlocks': '12',
}
/** Two payments, the seal's depth, an anchor over workers and subnet, and that one's depth below epoch 0. */
const BLOCKS_TO_START = 12
/** Nothing in a test is that far away: what has not come by then is stuck. */
const MAX_BLOCKS = 60
/** Tests say when the chain is looked at. */
const NEVER_POLL_MS = '600000'

interface SiteOptions {
  readonly flags?: Readonly<Record<string, string>>
  /** False: no seal, no treasury, no subnet. */
  readonly funded?: boolean
  readonly subnets?: readonly SubnetDraft[]
  /** Of another site; new ones without. */
  readonly keys?: Keys
  /** The explorer's built pages. */
  readonly explorer?: string
}

/** One coordinator with its HTTP surface in this process, on a real node, over a folder of its own. */
export interface Site extends AsyncDisposable {
  readonly url: string
  readonly origin: string
  readonly startHeight: number
  readonly config: Config
  readonly keys: Keys
  /** Answers with status 500 and above, and rounds that failed. */
  readonly troubles: unknown[]
  coordinator(): Coordinator
  house(): OpenHouse
  status(): OpenStatus
  /** The present view of what is anchored. */
  anchored(): ReturnType<typeof anchoredView>
  reconcile(): Promise<Reconciliation>
  /** Blocks one by one, each judged before and after. */
  mine(blocks: number): Promise<void>
  mineTo(height: number): Promise<void>
  mineUntil(what: string, done: () => boolean): Promise<void>
  /** As mineUntil, with everything that these are drawn for audited honestly and the books held against the chain. */
  mineAudited(auditors: readonly Peer[], what: string, done: () => boolean): Promise<void>
  /** Until an anchor that holds everything now in the log is mined. */
  anchorAll(): Promise<void>
  /** Registered workers, admitted as auditors, the operator's own as the last of them, at the block before epoch 0. */
  begin(workers: number): Promise<Peer[]>
  /** A registered worker. */
  peer(): Promise<Peer>
  /** The operator's auditor, registered. */
  auditor(): Promise<Peer>
  /** What an address holds, as the chain says without any of our own code. */
  satsOnChain(address: string): Promise<bigint>
  /** All rows of all tables: equal before and after means that nothing has changed. */
  everyRow(): Record<string, unknown[]>
  close(): Promise<void>
  /** A new coordinator over what the last one left; `rpc` stands between it and the node. */
  reopen(rpc?: BitcoinRpc): Promise<void>
}

export async function openSite(node: RegtestNode, options: SiteOptions = {}): Promise<Site> {
  const { flags = {}, funded = true, subnets = [tinyMarket()], explorer = null } = options
  const folder = mkdtempSync(join(tmpdir(), 'assay-site-'))
  const keys = options.keys ?? deriveKeys(newMnemonic(), 'regtest')
  // The miner's first coins take blocks of their own: before heights are fixed.
  await node.fund(taprootAddress(publicKeyOf(newWorkerKey()), 'regtest'), 1_000n)
  const startHeight = Number(await node.rpc.call('getblockcount')) + BLOCKS_TO_START
  const config = parseConfig('', {
    flags: {
      network: 'regtest',
      dataDir: folder,
      origin: ORIGIN,
      'bitcoind.url': node.rpcUrl,
      'bitcoind.cookieFile': node.cookieFile,
      'bitcoind.pollMs': NEVER_POLL_MS,
      'epoch.startHeight': `${startHeight}`,
      ...CALENDAR,
      'subsidy.initialMsat': `${BUDGET_MSAT}`,
      'subsidy.halvingEpochs': '100',
      'subsidy.capMsat': `${BUDGET_MSAT * BUDGETED_EPOCHS}`,
      'payout.thresholdSats': '5000',
      ...flags,
    },
  })
  const troubles: unknown[] = []
  let coordinator = await open(node.rpc)
  let listening = await serve()

  function open(rpc: BitcoinRpc): Promise<Coordinator> {
    return openCoordinator({
      config,
      keys,
      rpc,
      onEvent: (event) => event.kind === 'failed' && troubles.push(event.error),
    })
  }

  function serve(): Promise<Listening> {
    const app = createApp({
      coordinator,
      operatorToken: TOKEN,
      failures: createFailureCounter(),
      explorer,
      onBug: (error) => troubles.push(error),
    })
    return listen(app, { host: '127.0.0.1', port: 0 })
  }

  async function close(): Promise<void> {
    await listening[Symbol.asyncDispose]()
    await coordinator[Symbol.asyncDispose]()
  }

  const site: Site = {
    get url() {
      return listening.url
    },
    origin: config.origin,
    startHeight,
    config,
    keys,
    troubles,
    coordinator: () => coordinator,
    house() {
      const house = coordinator.house()
      if (house === null) throw new Error('the log is not open')
      return house
    },
    status() {
      const status = statusOf(coordinator).open
      if (status === null) throw new Error('the log is not open')
      return status
    },
    anchored: () => anchoredView(site.house().anchorer.anchors()),
    reconcile: () => reconcile(coordinator, site.house()),
    async mine(blocks) {
      for (let block = 0; block < blocks; block += 1) {
        await coordinator.kick()
        await node.mine(1)
        await coordinator.kick()
      }
    },
    async mineTo(height) {
      await site.mineUntil(`block ${height}`, () => (coordinator.advancedTo() ?? 0) >= height)
    },
    async mineUntil(what, done) {
      for (let block = 0; block < MAX_BLOCKS; block += 1) {
        if (done()) return
        await site.mine(1)
      }
      throw new Error(`${MAX_BLOCKS} blocks have not brought ${what}: ${inspect(troubles.at(-1))}`)
    },
    async mineAudited(auditors, what, done) {
      for (let block = 0; block < MAX_BLOCKS; block += 1) {
        if (done()) return
        await site.mine(1)
        for (const auditor of auditors) await auditor.audit()
        const { rows, inconsistent } = await site.reconcile()
        const wrong = rows.filter(({ ok }) => !ok)
        if (wrong.length + inconsistent.length > 0)
          throw new Error(`books: ${inspect({ wrong, inconsistent })}`)
      }
      throw new Error(`${MAX_BLOCKS} blocks have not brought ${what}: ${inspect(troubles.at(-1))}`)
    },
    async anchorAll() {
      const last = coordinator.books.log.size() - 1
      site.house().anchorer.request()
      await site.mineUntil(`an anchor over entry ${last}`, () => site.anchored().first(last) !== null)
    },
    async begin(workers) {
      const peers: Peer[] = []
      while (peers.length < workers) peers.push(await site.peer())
      peers.push(await site.auditor())
      for (const { key: worker } of peers.slice(0, workers)) {
        await decideAuditor(site.url, TOKEN, { worker, status: 'admitted', reason: 'known to the test' })
      }
      await site.anchorAll()
      await site.mineTo(startHeight - 1)
      if (coordinator.advancedTo() !== startHeight - 1) throw new Error('epoch 0 began too early')
      return peers
    },
    async peer() {
      const peer = createPeer(site)
      await peer.register()
      return peer
    },
    async auditor() {
      const auditor = createPeer(site, keys.auditor.secretKey)
      await auditor.register()
      return auditor
    },
    async satsOnChain(address) {
      const answer = Object(await node.rpc.call('scantxoutset', 'start', [`addr(${address})`]))
      return BigInt(Math.round(Number(answer.total_amount) * 1e8))
    },
    everyRow() {
      const { db } = coordinator.books
      const tables = db
        .prepare<[], string>(`SELECT name FROM sqlite_master WHERE type = 'table'`)
        .pluck()
        .all()
      return Object.fromEntries(tables.map((table) => [table, db.prepare(`SELECT * FROM ${table}`).all()]))
    },
    close,
    async reopen(rpc = node.rpc) {
      await close()
      coordinator = await open(rpc)
      listening = await serve()
      await coordinator.kick()
    },
    async [Symbol.asyncDispose]() {
      await close()
      rmSync(folder, { recursive: true, force: true })
    },
  }

  if (funded) {
    await node.fund(coordinator.anchorAddress, SEAL_SATS)
    await node.fund(coordinator.treasuryAddress, TREASURY_SATS)
    await site.mineUntil('the genesis', () => coordinator.house() !== null)
    for (const subnet of subnets) await publishSubnet(site.url, TOKEN, subnet)
  }
  return site
}
