import { findSpender } from '../../anchor/find-spender.ts'
import type { Node } from '../../anchor/node.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { AnchorEvidence, AnchorsFile } from '../audit/anchors-file.ts'
import { checkAnchorChain, lastSealOf, readGenesis } from '../audit/check-anchor-chain.ts'
import { headersOf } from '../audit/headers-of.ts'
import { readLogRoots } from '../audit/log-roots.ts'
import { checkpointIn } from '../log/checkpoint.ts'
import type { Succession } from '../log/entry.ts'
import { encodeInheritedBalances, type InheritedBalances } from '../log/inherited-balances.ts'
import { txidBytes } from '../log/txid.ts'
import type { LogSource } from '../monitor/log-source.ts'
import { readCheckpoint, readEntries } from '../monitor/read-entries.ts'
import { balancesLeft } from './balances-left.ts'
import type { Rule } from './findings.ts'
import { replayLog } from './replay.ts'
import { chainOfNode } from './replay-chain.ts'
import type { ReplaySource } from './replay-source.ts'
import { SuccessionError } from './succession-error.ts'

/** A log that is to be succeeded: what anybody can read of it. */
export interface OldLog {
  readonly log: LogSource
  readonly blob: ReplaySource['blob']
  readonly anchors: AnchorsFile
}

/** What a closed log leaves to the one that takes over from it. */
export interface Legacy {
  readonly succeeds: Succession
  readonly balances: InheritedBalances
  /** The blob that `succeeds` names. */
  readonly blob: Uint8Array
  /** Of its genesis. */
  readonly network: string
  readonly origin: string
  readonly size: number
  /** Entries that it served beyond its last anchor: nothing of them is carried. */
  readonly entriesLost: number
}

/** These speak of the present, in which a closed log does nothing, or of what its operator failed to do. */
const NO_OBSTACLE: readonly Rule[] = ['overdue', 'treasury', 'sampling', 'genesis', 'balances']

/**
 * What a closed log held and owed at its last final anchor, recomputed from its public data and the chain. `mayBeOpen`: its
 * seal need not be spent, as where its key is lost, or where somebody only checks. `onProgress` counts entries. Throws
 * SuccessionError, and what the sources throw.
 */
export async function legacyOf(
  old: OldLog,
  node: Node,
  {
    mayBeOpen,
    onProgress = () => {},
  }: { mayBeOpen: boolean; onProgress?: (done: number, of: number) => void },
): Promise<Legacy> {
  const genesis = readGenesis(old.anchors)
  const chain = await chainOfNode(node)
  const last = await lastAnchorOf(old, node, chain.tipHeight, genesis.epoch.finalDepth)
  if (!mayBeOpen) await checkBroken(old.anchors, node, chain.tipHeight, genesis.epoch.finalDepth)
  const { size } = checkpointIn(last.checkpoint)
  const served = checkpointIn(await readCheckpoint(old.log)).size
  const { report, state } = await replayLog({
    checkpoint: last.checkpoint,
    verifierKey: null,
    entries: () => readEntries(old.log, { from: 0, to: size, size: served }, onProgress),
    blob: old.blob,
    anchors: old.anchors.anchors.map(({ height, checkpoint }) => ({
      height,
      size: checkpointIn(checkpoint).size,
    })),
    followAnchors: null,
    chain,
    claims: null,
    predecessor: null,
  })
  const wrong = report.rules.find(({ name, failed }) => failed > 0 && !NO_OBSTACLE.includes(name))
  if (state === null || wrong !== undefined) {
    throw new SuccessionError('log_differs', `${wrong?.first?.code}: ${wrong?.first?.detail}`)
  }
  const balances = await balancesLeft(state, node)
  const blob = encodeInheritedBalances(balances)
  return {
    succeeds: {
      logKey: genesis.logKey,
      checkpoint: last.checkpoint,
      anchor: { index: last.index, txid: txidBytes(last.txid), height: last.height },
      balances: sha256(blob),
    },
    balances,
    blob,
    network: genesis.network,
    origin: genesis.origin,
    size,
    entriesLost: served - size,
  }
}

async function lastAnchorOf(
  { log, anchors: file }: OldLog,
  node: Node,
  tipHeight: number,
  finalDepth: number,
): Promise<AnchorEvidence & { readonly txid: string }> {
  const last = file.anchors.at(-1)
  const seal = lastSealOf(file)
  if (last === undefined || seal === null)
    throw new SuccessionError('log_unanchored', 'nothing of it is anchored')
  const finalHeight = last.height + finalDepth - 1
  if (tipHeight < finalHeight) {
    throw new SuccessionError('not_final_yet', `its last anchor is final at block ${finalHeight}`)
  }
  const roots = await readLogRoots(
    log,
    file.anchors.map(({ checkpoint }) => checkpointIn(checkpoint).size),
  )
  const report = checkAnchorChain(file, { headerAt: await headersOf(node, file), log: roots })
  if (report.break !== null) {
    throw new SuccessionError('anchors_broken', `${report.break.code}: ${report.break.detail}`)
  }
  return { ...last, txid: seal.txid }
}

/** A seal that is spent by no anchor, for good: two logs that both go on would both pay. */
async function checkBroken(
  file: AnchorsFile,
  node: Node,
  tipHeight: number,
  finalDepth: number,
): Promise<void> {
  const seal = lastSealOf(file)
  if (seal === null || (await node.txOut(seal, { mempool: false })) !== null) {
    throw new SuccessionError('seal_unspent', 'its last seal is unspent: it may still go on')
  }
  const recent = await findSpender(node, seal, tipHeight, tipHeight - finalDepth + 2)
  if (recent !== null) {
    const finalHeight = recent.height + finalDepth - 1
    throw new SuccessionError('not_final_yet', `what broke its seal is final at block ${finalHeight}`)
  }
}
