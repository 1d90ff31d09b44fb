import { findSpender } from '../../anchor/find-spender.ts'
import type { Node } from '../../anchor/node.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { AnchorEvidence, AnchorsFile } from '../audit/anchors-file.ts'
import { checkAnchorChain, lastSealOf, readGenesis } from '../audit/check-anchor-chain.ts'
import { headersOf } from '../audit/headers-of.ts'
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
  const last = lastAnchorOf(old.anchors, chain.tipHeight, genesis.epoch.finalDepth)
  if (!mayBeOpen) await checkBroken(old.anchors, node, chain.tipHeight, genesis.epoch.finalDepth)
  const { size } = checkpointIn(last.checkpoint)
  const served = checkpointIn(await readCheckpoint(old.log)).size
  const headerAt = await headersOf(node, old.anchors)
  const { report, state } = await replayLog({
    checkpoint: last.checkpoint,
    verifierKey: null,
    entries: () => readEntries(old.log, { from: 0, to: Math.min(size, served), size: served }, onProgress),
    blob: old.blob,
    anchors: old.anchors.anchors.map(({ height, checkpoint }) => ({
      height,
      size: checkpointIn(checkpoint).size,
    })),
    followAnchors: (roots) => checkAnchorChain(old.anchors, { headerAt, log: roots }),
    chain,
    claims: null,
    predecessor: null,
  })
  const wrong = report.rules.filter(({ name, failed }) => failed > 0 && !NO_OBSTACLE.includes(name))
  const broken = wrong.find(({ name }) => name === 'anchors')
  const first = (broken ?? wrong[0] ?? report).first
  if (state === null || wrong.length > 0) {
    throw new SuccessionError(broken ? 'anchors_broken' : 'log_differs', `${first?.code}: ${first?.detail}`)
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

function lastAnchorOf(
  file: AnchorsFile,
  tipHeight: number,
  finalDepth: number,
): AnchorEvidence & { readonly txid: string } {
  const last = file.anchors.at(-1)
  const seal = lastSealOf(file)
  if (last === undefined || seal === null)
    throw new SuccessionError('log_unanchored', 'nothing of it is anchored')
  const finalHeight = last.height + finalDepth - 1
  if (tipHeight < finalHeight) {
    throw new SuccessionError('not_final_yet', `its last anchor is final at block ${finalHeight}`)
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
