import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { utils } from '@scure/btc-signer'
import Database from 'better-sqlite3'
import type { AnchorRecord } from '../../anchor/anchor-record.ts'
import type { Method, TopUp } from '../../anchor/anchor-transaction.ts'
import { type Anchorer, openAnchorer } from '../../anchor/anchorer.ts'
import { sealScript } from '../../anchor/commitment.ts'
import { type Node, openNode } from '../../anchor/node.ts'
import type { AnchorPolicy } from '../../anchor/price-anchor.ts'
import type { BitcoinRpc } from '../../anchor/rpc.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import type { RegtestNode } from '../../regtest/start-bitcoind.ts'
import { signedPayment } from './signed-payment.ts'

export const POLICY: AnchorPolicy = {
  everyBlocks: 1,
  finalDepth: 6,
  targetBlocks: 6,
  floorSatPerKvb: 1_000n,
  ceilingSatPerKvb: 50_000n,
  capSats: 5_000n,
  dayCapSats: 100_000n,
}

export interface SiteOptions {
  method?: Method
  sealSats?: bigint
  policy?: Partial<AnchorPolicy>
}

export interface Site {
  method: Method
  node: Node
  payloadFile: string
  secretKey: Uint8Array
  internalKey: Uint8Array
  firstSeal: { txid: string; vout: number; valueSats: bigint }
  /** Appends entries to the log whose head is anchored. */
  grow(entries: number): void
  root(size: number): Uint8Array
  /** Entries in that log. */
  size(): number
  /** The anchor key's coins, as a wallet lists them. */
  topUps: TopUp[]
  /** A coin of the anchor key, mined, that nobody has listed yet. */
  fund(sats: bigint): Promise<TopUp>
  /** A new anchorer over the same database, as after a restart. */
  open(changes?: {
    node?: Node
    payloadFile?: string
    policy?: Partial<AnchorPolicy>
    db?: Database.Database
  }): Anchorer
  db: Database.Database
  [Symbol.dispose](): void
}

export function openDatabase(file: string): Database.Database {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('foreign_keys = ON')
  db.defaultSafeIntegers(true)
  return db
}

/** What a backup taken now would hold. */
export function copyOf(db: Database.Database): Database.Database {
  const copy = new Database(db.serialize())
  copy.defaultSafeIntegers(true)
  return copy
}

/** Without estimates, as a young node: what regtest learns from a handful of payments would make fees a matter of luck. */
export function youngNode(rpc: BitcoinRpc): Node {
  const node = openNode(rpc, 'regtest')
  return {
    ...node,
    feeMarket: async (targetBlocks) => ({ ...(await node.feeMarket(targetBlocks)), estimateSatPerKvb: null }),
  }
}

/** A first seal on the chain, and a database and a log for one anchorer. */
export async function openSite(bitcoind: RegtestNode, options: SiteOptions = {}): Promise<Site> {
  const { method = 'dual', sealSats = 1_000_000n, policy = {} } = options
  const dir = mkdtempSync(path.join(os.tmpdir(), 'assay-anchor-'))
  const db = openDatabase(path.join(dir, 'site.sqlite'))
  const secretKey = randomBytes(32)
  const node = youngNode(bitcoind.rpc)
  const address = taprootAddress(utils.pubSchnorr(secretKey), 'regtest')
  const fund = async (valueSats: bigint) => ({ ...(await bitcoind.fund(address, valueSats)), valueSats })
  const firstSeal = await fund(sealSats)
  const topUps: TopUp[] = []
  const payloadFile = path.join(dir, 'payloads')
  const root = (entries: number) => createHash('sha256').update(`root of ${entries}`).digest()
  let size = 0
  return {
    method,
    node,
    payloadFile,
    firstSeal,
    root,
    db,
    secretKey,
    internalKey: utils.pubSchnorr(secretKey),
    size: () => size,
    topUps,
    fund,
    grow(entries) {
      size += entries
    },
    open: (changes = {}) =>
      openAnchorer({
        db,
        node,
        payloadFile,
        ...changes,
        method,
        secretKey,
        firstSeal,
        origin: 'test.example/log',
        policy: { ...POLICY, ...policy, ...changes.policy },
        head: () => ({ size, root: root(size) }),
        topUps: async () => topUps,
      }),
    [Symbol.dispose]() {
      db.close()
      rmSync(dir, { recursive: true })
    },
  }
}

export function onlyAnchor(anchorer: Anchorer): AnchorRecord {
  const [record, ...others] = anchorer.anchors()
  if (record === undefined || others.length > 0) throw new Error(`one anchor, and ${others.length} others`)
  return record
}

/** The next anchor, mined. */
export async function anchorNext(bitcoind: RegtestNode, site: Site, anchorer: Anchorer): Promise<void> {
  site.grow(1)
  anchorer.request()
  await anchorer.advance()
  await bitcoind.mine(1)
  await anchorer.advance()
}

/** A block that leaves the mempool alone. */
export async function mineEmpty(bitcoind: RegtestNode): Promise<void> {
  await bitcoind.rpc.call('generateblock', 'raw(51)', [])
}

export async function mempool(bitcoind: RegtestNode): Promise<unknown[]> {
  const txids = await bitcoind.rpc.call('getrawmempool')
  if (!Array.isArray(txids)) throw new Error('getrawmempool gives a list')
  return txids
}

export function hex(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}

/** A payment from the first seal, by somebody who has the key. */
export function stealSeal({ secretKey, firstSeal }: Site): Uint8Array {
  const thief = sealScript(utils.pubSchnorr(randomBytes(32)), null)
  return signedPayment({
    secretKey,
    inputs: [firstSeal],
    outputs: [{ script: thief, valueSats: 1_000n }],
    changeScript: thief,
    feeSats: 1_000n,
  }).raw
}
