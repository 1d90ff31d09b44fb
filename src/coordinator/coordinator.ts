import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { Anchorer } from '../../anchor/anchorer.ts'
import { openAnchorer } from '../../anchor/anchorer.ts'
import { watchChain } from '../../anchor/chain-watch.ts'
import type { Node } from '../../anchor/node.ts'
import { openNode } from '../../anchor/node.ts'
import type { Payer } from '../../anchor/payer.ts'
import { openPayer } from '../../anchor/payer.ts'
import { assertPinned, type PinnedBlock } from '../../anchor/pinned-blocks.ts'
import type { BitcoinRpc } from '../../anchor/rpc.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { openBlobStore } from '../blobs/blob-store.ts'
import { ConfigError } from '../config/config-error.ts'
import type { Config } from '../config/config-schema.ts'
import { depositKey, type Keys } from '../keystore/derive-keys.ts'
import { openLedger } from '../ledger/ledger.ts'
import { openLog } from '../log/log-store.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { txidText } from '../log/txid.ts'
import { parseWitness } from '../monitor/parse-witness.ts'
import { claimFolder } from '../store/claim-folder.ts'
import { applySchema } from '../store/open-database.ts'
import type { Advance } from './advance.ts'
import { advance } from './advance.ts'
import type { Books } from './books.ts'
import type { Desks } from './desks.ts'
import { openDesks } from './desks.ts'
import type { Genesis } from './genesis.ts'
import { chooseSeal, readGenesis, startOf, writeGenesis } from './genesis.ts'
import { putLostJobLists } from './lost-job-lists.ts'
import { openSiteDatabase } from './migrations.ts'
import { reconcileSettled } from './reconcile-epochs.ts'
import { repeating } from './repeating.ts'
import { InheritanceError, readInheritance } from './succession-file.ts'
import { UnjudgedError } from './unjudged-error.ts'
import type { WatchedKeys } from './watch-keys.ts'
import { watchKeys } from './watch-keys.ts'
import { openWitnessing, type Witnessing, type WitnessStatus } from './witnessing.ts'

/** Everything that exists only once the log has its genesis. */
export interface OpenHouse {
  readonly genesis: Genesis
  readonly desks: Desks
  readonly anchorer: Anchorer
  readonly payer: Payer
}

export type CoordinatorEvent =
  | { kind: 'waiting_for_seal'; anchorAddress: string; treasuryAddress: string }
  | { kind: 'opened'; seal: string }
  | { kind: 'advanced'; advance: Advance }
  | { kind: 'witness_alarm'; status: WitnessStatus }
  | { kind: 'failed'; error: unknown }

export interface Coordinator extends AsyncDisposable {
  readonly config: Config
  readonly books: Books
  readonly node: Node
  readonly watched: WatchedKeys
  readonly witnessing: Witnessing
  readonly anchorAddress: string
  readonly treasuryAddress: string
  /** Null until the first seal is funded and the genesis is written. */
  house(): OpenHouse | null
  /** Judges everything again now, as a new tip would; resolves when a round that began after this call is over. */
  kick(): Promise<void>
  /** Height that the last whole round saw; null before. */
  advancedTo(): number | null
  /** The highest tip that a round went by, whole or not: its entries may speak of it. 0 before the first. */
  reachedTip(): number
  lastError(): Error | null
}

const SCHEMA = readFileSync(new URL('./coordinator-schema.sql', import.meta.url), 'utf8')

interface CoordinatorOptions {
  readonly config: Config
  readonly keys: Keys
  readonly rpc: BitcoinRpc
  readonly onEvent: (event: CoordinatorEvent) => void
}

/**
 * Opens a coordinator over its data folder and one node, and keeps it at the tip until disposed. Throws StoreError,
 * LogError, ConfigError, NodeError, RpcError, and leaves the folder to others then.
 */
export async function openCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { dataDir } = options.config
  const release = claimFolder(dataDir)
  let db: Database | null = null
  try {
    db = openSiteDatabase(dataDir)
    return await openOver(db, release, options)
  } catch (error) {
    db?.close()
    release()
    throw error
  }
}

async function openOver(
  db: Database,
  release: () => void,
  { config, keys, rpc, onEvent }: CoordinatorOptions,
): Promise<Coordinator> {
  const { network, origin, dataDir } = config
  applySchema(db, SCHEMA)
  const log = openLog({ db, origin, seed: keys.logSeed })
  const books: Books = { db, log, blobs: openBlobStore(join(dataDir, 'blobs')), ledger: openLedger(db) }
  putLostJobLists(books)
  const node = openNode(rpc, network)
  const pins = pinsOf(config)
  await node.chain()
  await assertPinned(node, pins)
  const treasury = treasuryOf(config, keys)
  const treasuryAddress = taprootAddress(treasury.internalKey, network)
  const genesis = readGenesis(log)
  if (genesis !== null && genesis.treasury !== treasuryAddress) {
    const [key, whose] =
      treasury.secretKey === null
        ? ['payout.treasuryKey', 'of that key']
        : ['payout.signer', 'of this keystore']
    const message = `${key}: this log's treasury is ${genesis.treasury} for ever, not ${treasuryAddress} ${whose}`
    throw new ConfigError('config_invalid', key, message)
  }
  const inheritance = readInheritance(dataDir)
  if (genesis?.succeeds === null && inheritance !== null) throw new InheritanceError(origin)
  const watched = await watchKeys(
    rpc,
    node,
    `assay-${Buffer.from(keys.anchor.internalKey).toString('hex', 0, 8)}`,
    { anchor: keys.anchor, treasury, deposits: keys.deposits },
    startOf(genesis, inheritance, treasuryAddress),
  )
  const anchorAddress = taprootAddress(keys.anchor.internalKey, network)

  let house = genesis === null ? null : openHouse(genesis)
  let advancedTo: number | null = null
  let reachedTip = 0
  let lastError: Error | null = null

  function openHouse(genesis: Genesis): OpenHouse {
    const { finalDepth } = genesis.epoch
    const { targetBlocks, floorSatPerKvb, ceilingSatPerKvb } = config.anchor
    const { capSats, feeShareBasisPoints } = config.payout
    const anchorer = openAnchorer({
      db,
      node,
      method: genesis.method,
      origin,
      secretKey: keys.anchor.secretKey,
      firstSeal: { txid: txidText(genesis.seal.txid), vout: genesis.seal.vout, valueSats: genesis.seal.sats },
      payloadFile: join(dataDir, 'payloads'),
      policy: { ...config.anchor, finalDepth },
      head: () => ({ size: log.size(), root: log.root() }),
      topUps: () => watched.anchorCoins(finalDepth),
    })
    const payer = openPayer({
      db,
      node,
      network,
      // The treasury's own key is child 0 of the chain that the deposits' come from.
      keyAt: (index) => (index === 0 ? treasury : depositKey(keys.deposits, index)),
      policy: { finalDepth, targetBlocks, floorSatPerKvb, ceilingSatPerKvb, capSats, feeShareBasisPoints },
      listCoins: async () => {
        const coins = await watched.treasuryCoins(finalDepth)
        return coins.flatMap((coin) => {
          const keyIndex = desks.requesters.keyIndexOf(coin.script)
          return keyIndex === null ? [] : [{ ...coin, keyIndex }]
        })
      },
    })
    const desks: Desks = openDesks(books, genesis, config, payer, {
      proctorSeed: keys.proctorSeed,
      depositKey: (number) => depositKey(keys.deposits, number).internalKey,
    })
    return { genesis, anchorer, payer, desks }
  }

  async function begin(): Promise<OpenHouse | null> {
    const seal = chooseSeal(await watched.anchorCoins(config.epoch.finalDepth))
    if (seal === null) {
      onEvent({ kind: 'waiting_for_seal', anchorAddress, treasuryAddress })
      return null
    }
    const logKey = parseVerifierKey(log.verifierKey).publicKey.export({ format: 'jwk' }).x
    if (logKey === undefined) throw new Error('an Ed25519 JWK has x')
    const written = writeGenesis(
      books,
      config,
      {
        internalKey: keys.anchor.internalKey,
        logKey: new Uint8Array(Buffer.from(logKey, 'base64url')),
        auditor: keys.auditor.publicKey,
        treasury: treasuryAddress,
      },
      seal,
      readInheritance(dataDir),
    )
    onEvent({ kind: 'opened', seal: `${seal.txid}:${seal.vout}` })
    return openHouse(written)
  }

  async function round(): Promise<void> {
    const { height } = await node.chain()
    // A chain with the same genesis may part from ours later: what this node says of it counts for nothing.
    if (!(await assertPinned(node, pins))) {
      throw new UnjudgedError(`the node is at block ${height}, below the pinned one`)
    }
    reachedTip = Math.max(reachedTip, height)
    house ??= await begin()
    if (house !== null) {
      const { genesis, anchorer, desks } = house
      const { finalDepth, auditRoundBlocks } = genesis.epoch
      onEvent({
        kind: 'advanced',
        advance: await advance(desks, { tip: height, node, anchorer, watched, finalDepth, auditRoundBlocks }),
      })
      await reconcileSettled({ books, node, watched }, house)
    }
    advancedTo = height
    lastError = null
    // Only now is it the epoch of the next block that leases are asked for.
    house?.desks.bell.ring()
    witnessing.collect()
    house?.desks.auditBell.ring()
  }

  const witnessing = openWitnessing(log, config.witnesses.map(parseWitness), {
    onAlarm: (status) => onEvent({ kind: 'witness_alarm', status }),
    onBug: (error) => onEvent({ kind: 'failed', error }),
  })
  const rounds = repeating(round, (error) => {
    lastError = error instanceof Error ? error : new Error(String(error))
    onEvent({ kind: 'failed', error })
  })
  const { zmqUrl, pollMs } = config.bitcoind
  const watch = watchChain({
    node,
    ...(zmqUrl === undefined ? {} : { zmqUrl }),
    pollMs,
    onTip: () => void rounds.kick(),
    onError(error) {
      onEvent({ kind: 'failed', error })
      // A node that is away fails the round too, which keeps saying so, and is tried until one succeeds.
      void rounds.kick()
    },
  })

  return {
    config,
    books,
    node,
    watched,
    witnessing,
    anchorAddress,
    treasuryAddress,
    house: () => house,
    kick: () => rounds.kick(),
    advancedTo: () => advancedTo,
    reachedTip: () => reachedTip,
    lastError: () => lastError,
    async [Symbol.asyncDispose]() {
      await watch[Symbol.asyncDispose]()
      await rounds.close()
      await witnessing[Symbol.asyncDispose]()
      house?.desks.requests.close()
      books.blobs.close()
      db.close()
      release()
    },
  }
}

/** The keystore's treasury, or with an external signer the configured one, whose secret is nowhere here. */
function treasuryOf(
  { payout }: Config,
  { treasury }: Keys,
): { internalKey: Uint8Array; secretKey: Uint8Array | null } {
  const { signer, treasuryKey } = payout
  if (signer === 'keystore' || treasuryKey === undefined) return treasury
  return { internalKey: new Uint8Array(Buffer.from(treasuryKey, 'hex')), secretKey: null }
}

function pinsOf({ bitcoind: { pinnedBlock } }: Config): PinnedBlock[] {
  if (pinnedBlock === undefined) return []
  const [height = '', hash = ''] = pinnedBlock.split(':')
  return [{ height: Number(height), hash }]
}
