import type { Transaction } from 'bitcoinjs-lib'
import type { Outpoint } from '../../anchor/anchor-transaction.ts'
import { checkProofOfWork, parseHeader } from '../../anchor/block-header.ts'
import { checkAnchorTransaction } from '../../anchor/check-anchor-transaction.ts'
import { encodePayload } from '../../anchor/commitment.ts'
import { checkBranch } from '../../anchor/merkle-branch.ts'
import { networkOf } from '../../anchor/network.ts'
import { parseTransaction } from '../../anchor/parse-transaction.ts'
import { type Checkpoint, verifyCheckpoint } from '../log/checkpoint.ts'
import type { EntryOf } from '../log/entry.ts'
import { parseNote } from '../log/note.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { txidText } from '../log/txid.ts'
import { verifierKeyOf } from '../monitor/verifier-key.ts'
import type { AnchorChainReader } from './anchor-chain-reader.ts'
import type { AnchorEvidence } from './anchors-file.ts'
import { type ChainChecklist, given, NamedBreak } from './chain-checklist.ts'
import type { LogRoots } from './log-roots.ts'

/** The anchor before, as far as it could be read; at first, what genesis says. */
export interface Standing {
  readonly seal: Outpoint | null
  readonly head: Checkpoint | null
  readonly height: number
  /** Its place in its block. */
  readonly position: number
}

/** Every check of the anchor at place `at`. @returns where the chain of seals stands after it. */
export function checkAnchor(
  list: ChainChecklist,
  genesis: EntryOf<'genesis'> | null,
  anchor: AnchorEvidence,
  at: number,
  before: Standing,
  reader: AnchorChainReader,
): Standing {
  const { index, height, header, branch } = anchor
  list.check('index', at, () => {
    if (index !== at) throw new Error(`anchor ${index} stands where anchor ${at} is due`)
  })
  const head = list.check('checkpoint', at, () => readHead(anchor.checkpoint, given(genesis)))
  const transaction = list.check('transaction', at, () => readTransaction(anchor.transaction))
  list.check('seal', at, () => checkSpender(given(transaction), given(before.seal)))
  list.check('commitment', at, () => {
    given(transaction)
    const { method, internalKey } = given(genesis)
    const payload = encodePayload({ index, ...given(head) })
    checkAnchorTransaction(anchor.transaction, { method, internalKey, payload })
  })
  list.check('append_only', at, () => checkGrowth(given(head), before.head, reader.log))
  const txid = transaction?.getId() ?? null
  list.check('branch', at, () => {
    if (Buffer.compare(checkBranch(given(txid), branch), parseHeader(header).merkleRoot) !== 0) {
      throw new Error("the branch leads to another root than the header's")
    }
  })
  list.check('header_pow', at, () => checkProofOfWork(header, networkOf(given(genesis).network).powLimit))
  list.check('heights', at, () => {
    const isLater = height > before.height || (height === before.height && branch.position > before.position)
    if (!isLater) throw new Error(`block ${height} is before that of the seal it spends, ${before.height}`)
  })
  list.check('header_chain', at, () => {
    const own = given(reader.headerAt, 'no headers were given')(height)
    if (own === null) throw new Error(`the chain given has no block ${height}: newer headers may have it`)
    if (Buffer.compare(own, header) !== 0) throw new Error(`block ${height} of the chain given is another`)
  })
  return { seal: txid === null ? null : { txid, vout: 0 }, head, height, position: branch.position }
}

function readHead(note: string, genesis: EntryOf<'genesis'>): Checkpoint {
  // A cosignature would be bytes that nothing here checks.
  if (parseNote(note).signatures.length !== 1) throw new Error('the checkpoint has more than one signature')
  return verifyCheckpoint(note, parseVerifierKey(verifierKeyOf(genesis)))
}

function readTransaction(bytes: Uint8Array): Transaction {
  const transaction = parseTransaction(bytes)
  if (transaction === null) throw new Error('not one whole transaction')
  if (transaction.hasWitnesses()) throw new Error('the transaction has witnesses, which its txid leaves out')
  return transaction
}

function checkSpender({ ins: [first] }: Transaction, seal: Outpoint): void {
  const spent = first === undefined ? 'nothing' : `${txidText(first.hash)}:${first.index}`
  const due = `${seal.txid}:${seal.vout}`
  if (spent !== due) throw new Error(`input 0 spends ${spent}, the seal is ${due}`)
}

/** Heads whose roots are all those of one list of entries begin with each other. */
function checkGrowth({ size, root }: Checkpoint, before: Checkpoint | null, log: LogRoots | undefined): void {
  if (before !== null && size < before.size) {
    throw new Error(`a head of ${size} entries after one of ${before.size}`)
  }
  if (size === before?.size && Buffer.compare(root, before.root) !== 0) {
    throw new Error(`two roots of ${size} entries`)
  }
  const { rootAt, gap } = given(log, 'no log was given')
  const own = rootAt(size)
  if (own === null) {
    throw new NamedBreak(
      'log_incomplete',
      `the log ends before entry ${size}: ${gap ?? 'it was not read so far'}`,
    )
  }
  if (Buffer.compare(own, root) !== 0) {
    throw new Error(`the log's first ${size} entries lead to another root than the anchored one`)
  }
}
