/** A log and its chain of seals on a regtest chain of headers that are mined here; every step can be told to lie. */
import { Transaction } from 'bitcoinjs-lib'
import { buildAnchorTransaction, type Method, stripWitness } from '../../../anchor/anchor-transaction.ts'
import { checkProofOfWork, doubleSha256 } from '../../../anchor/block-header.ts'
import { encodePayload } from '../../../anchor/commitment.ts'
import { checkHeaderChain } from '../../../anchor/header-chain.ts'
import { checkBranch, proveTransaction } from '../../../anchor/merkle-branch.ts'
import { networkOf } from '../../../anchor/network.ts'
import { publicKeyOf } from '../../../compute/work/worker-key.ts'
import type { AnchorChainReader } from '../../../src/audit/anchor-chain-reader.ts'
import type { AnchorEvidence, AnchorsFile } from '../../../src/audit/anchors-file.ts'
import { readLogRoots } from '../../../src/audit/log-roots.ts'
import { encodeEntry } from '../../../src/log/entry.ts'
import { txidBytes } from '../../../src/log/txid.ts'
import { ORIGIN } from '../log/log-identity.ts'
import { GENESIS_FIELDS, headOf, memoryLog, rootOf, SIGNER } from '../monitor/memory-log.ts'

export const SECRET_KEY = Uint8Array.of(...new Uint8Array(31), 11)
export const FIRST_SEAL = { txid: '5e'.repeat(32), vout: 1, valueSats: 100_000n, payload: null }
export const SIZES = [3, 3, 300]

export interface Plan {
  readonly method?: Method
  /** Of the log under each anchor. */
  readonly sizes?: readonly number[]
  /** The entries that anchor `at` commits to, from the honest ones. */
  readonly entriesAt?: (at: number, entries: Uint8Array[]) => Uint8Array[]
  /** The index that anchor `at` says. */
  readonly indexAt?: (at: number) => number
  /** Changes the transaction of anchor `at` before it is mined. */
  readonly alter?: (at: number, transaction: Transaction) => void
  /** Heights of the anchors' blocks, from 1 on. */
  readonly heights?: readonly number[]
}

export interface Chain {
  readonly file: AnchorsFile
  /** Everything that an auditor can bring. */
  readonly reader: Required<AnchorChainReader>
  readonly entries: readonly Uint8Array[]
  /** 80-byte records from genesis on. */
  readonly headers: Uint8Array
}

export async function makeChain(plan: Plan = {}): Promise<Chain> {
  const { method = 'dual', sizes = SIZES, entriesAt, indexAt = (at) => at, alter } = plan
  const { heights = sizes.map((_, at) => at + 1) } = plan
  const genesis = genesisOf(method)
  const entries = logEntries(genesis, Math.max(1, ...sizes))
  const transactions: Transaction[] = []
  const heads: string[] = []
  let seal = { ...FIRST_SEAL, payload: null as Uint8Array | null }
  for (const [at, size] of sizes.entries()) {
    const honest = entries.slice(0, size)
    const own = entriesAt?.(at, honest) ?? honest
    const payload = encodePayload({ index: indexAt(at), origin: ORIGIN, size: own.length, root: rootOf(own) })
    const built = buildAnchorTransaction({ method, secretKey: SECRET_KEY, seal, payload, feeSats: 200n })
    const transaction = Transaction.fromBuffer(stripWitness(built.raw))
    alter?.(at, transaction)
    transactions.push(transaction)
    heads.push(headOf(own))
    seal = { ...built.seal, txid: transaction.getId() }
  }
  const blocks = mineBlocks(transactions, heights)
  const anchors = transactions.map((transaction, at): AnchorEvidence => {
    const { header, branch } = blocks.of(at)
    const height = heights[at] ?? 0
    const bytes = new Uint8Array(transaction.toBuffer())
    return { index: indexAt(at), checkpoint: heads[at] ?? '', transaction: bytes, height, header, branch }
  })
  const chain = checkHeaderChain(blocks.headers, 'regtest')
  const headerAt = (height: number) => (height > chain.tipHeight ? null : chain.headerAt(height))
  const log = await readLogRoots(memoryLog(entries), sizes)
  const reader = { headerAt, verifierKey: SIGNER.verifierKey, log, lastSealUnspent: true }
  return { file: { genesis, anchors }, reader, entries, headers: blocks.headers }
}

function genesisOf(method: Method): Uint8Array {
  return encodeEntry({
    ...GENESIS_FIELDS,
    method,
    internalKey: publicKeyOf(SECRET_KEY),
    seal: { txid: txidBytes(FIRST_SEAL.txid), vout: FIRST_SEAL.vout, sats: FIRST_SEAL.valueSats },
  })
}

function logEntries(genesis: Uint8Array, count: number): Uint8Array[] {
  return [genesis, ...Array.from({ length: count - 1 }, (_, i) => Buffer.from(`entry ${i + 1}`))]
}

/** Blocks up to the highest that is asked for; an anchor stands among transactions of strangers. */
function mineBlocks(transactions: readonly Transaction[], heights: readonly number[]) {
  const headers = [networkOf('regtest').genesisHeader]
  const txidsAt = (height: number) => [
    `${height}`.padStart(64, '0'),
    ...transactions.filter((_, at) => heights[at] === height).map((transaction) => transaction.getId()),
    `${height}`.padStart(64, 'f'),
  ]
  for (let height = 1; height <= Math.max(0, ...heights) + 1; height += 1) {
    const [first = ''] = txidsAt(height)
    headers.push(
      mineHeader(
        headers.at(-1) ?? new Uint8Array(),
        checkBranch(first, proveTransaction(txidsAt(height), 0)),
      ),
    )
  }
  return {
    headers: new Uint8Array(Buffer.concat(headers)),
    of(at: number) {
      const height = heights[at] ?? 0
      const txids = txidsAt(height)
      const txid = transactions[at]?.getId() ?? ''
      return {
        header: headers[height] ?? new Uint8Array(),
        branch: proveTransaction(txids, txids.indexOf(txid)),
      }
    },
  }
}

/** Regtest's target is met by every second nonce. */
export function mineHeader(previous: Uint8Array, merkleRoot: Uint8Array, meets = true): Uint8Array {
  const header = Buffer.from(previous)
  header.writeInt32LE(0x2000_0000, 0)
  header.set(doubleSha256(previous), 4)
  header.set(merkleRoot, 36)
  header.writeUInt32LE(header.readUInt32LE(68) + 600, 68)
  for (let nonce = 0; ; nonce += 1) {
    header.writeUInt32LE(nonce, 76)
    if (hasWork(header) === meets) return new Uint8Array(header)
  }
}

function hasWork(header: Uint8Array): boolean {
  try {
    checkProofOfWork(header, networkOf('regtest').powLimit)
    return true
  } catch {
    return false
  }
}

/** The file with one anchor changed. */
export function withAnchor(
  { genesis, anchors }: AnchorsFile,
  at: number,
  change: Partial<AnchorEvidence>,
): AnchorsFile {
  return { genesis, anchors: anchors.map((anchor, i) => (i === at ? { ...anchor, ...change } : anchor)) }
}

/** What alters the transaction of anchor 1 alone. */
export function atOne(change: (transaction: Transaction) => unknown): NonNullable<Plan['alter']> {
  return (at, transaction) => {
    if (at === 1) change(transaction)
  }
}
