/** A proof made of real parts on a regtest chain of a few headers that are mined here. */
import { createHash, createPublicKey } from 'node:crypto'
import { buildAnchorTransaction, type Method } from '../../../anchor/anchor-transaction.ts'
import { checkProofOfWork, doubleSha256 } from '../../../anchor/block-header.ts'
import { encodePayload } from '../../../anchor/commitment.ts'
import { type Branch, checkBranch, proveTransaction } from '../../../anchor/merkle-branch.ts'
import { networkOf } from '../../../anchor/network.ts'
import { encodeReceipt, receiptId } from '../../../compute/work/receipt.ts'
import { receiptLeaf } from '../../../compute/work/receipt-path.ts'
import { buildReceiptTree } from '../../../compute/work/receipt-tree.ts'
import { encodeHeader, signSubmission } from '../../../compute/work/submission.ts'
import { publicKeyOf } from '../../../compute/work/worker-key.ts'
import { encodeCheckpoint } from '../../../src/log/checkpoint.ts'
import { encodeEntry } from '../../../src/log/entry.ts'
import { type NoteSigner, noteSigner } from '../../../src/log/note-signer.ts'
import { leafHash, nodeHash, proveRecord, treeHash } from '../../../src/log/rfc6962.ts'
import { signNote } from '../../../src/log/sign-note.ts'
import { buildProof } from '../../../src/proof/build-proof.ts'
import type { Proof } from '../../../src/proof/proof.ts'

export const ORIGIN = 'assay.example/log'
/** Small positive integers are fine secret keys; these are nobody's. */
const WORKER = secretKeyOf(7)
export const ANCHOR_SECRET_KEY = secretKeyOf(11)
export const INTERNAL_KEY = publicKeyOf(ANCHOR_SECRET_KEY)

const { genesisHeader, powLimit } = networkOf('regtest')
const BLOCK_SECONDS = 600
const BLOCKS_AFTER = 2

export interface Shape {
  receipts?: number
  receiptIndex?: number
  entries?: number
  entryIndex?: number
  transactions?: number
  position?: number
  method?: Method
}

/** `headers`: genesis, the anchor's block at height 1, and two more. */
export function makeProof(shape: Shape = {}): { proof: Proof; headers: Uint8Array } {
  const { receipts = 5, receiptIndex = 3, entries = 6, entryIndex = 4 } = shape
  const { transactions = 5, position = 2, method = 'dual' } = shape
  const work = makeSubmission(receipts, receiptIndex)
  const log = makeLog(work.entry, entryIndex, entries)
  const raw = makeAnchor(method, log.payload)
  const { header, branch } = mineBlock(raw.txid, transactions, position)
  const proof = buildProof({
    receipt: work.receipt,
    receiptPath: work.receiptPath,
    entry: work.entry,
    entryIndex,
    logPath: log.logPath,
    checkpoint: log.checkpoint,
    logKey: log.logKey,
    internalKey: INTERNAL_KEY,
    anchor: { index: 9, raw: raw.raw, height: 1, header, branch },
  })
  return { proof, headers: Buffer.concat([genesisHeader, header, ...blocksAfter(header)]) }
}

export function fill(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest())
}

function secretKeyOf(last: number): Uint8Array {
  return Uint8Array.of(...new Uint8Array(31), last)
}

export function makeSubmission(count: number, index: number) {
  const receipt = encodeReceipt({
    v: 1,
    job: fill('job'),
    output: fill('output'),
    index,
    profile: {
      batch: 32,
      device: 'x86-64-v3',
      optimization: 'disabled',
      ort: '1.30.0',
      precision: 'fp32',
      provider: 'cpu',
      threads: 1,
    },
    started: 1_760_000_000_000,
    finished: 1_760_000_000_009,
    energy: { method: 'none', millijoules: null },
  })
  const leaves = Array.from({ length: count }, (_, i) =>
    receiptLeaf(i === index ? receiptId(receipt) : fill(`receipt ${i}`)),
  )
  const tree = buildReceiptTree(leaves)
  const header = encodeHeader({
    v: 1,
    worker: publicKeyOf(WORKER),
    sequence: 4,
    previous: fill('previous'),
    count,
    root: tree.root,
    time: 1_760_000_000_100,
  })
  const entry = encodeEntry({
    v: 1,
    kind: 'submission',
    header,
    signature: signSubmission(header, ORIGIN, WORKER),
    receipts: fill('receipts'),
  })
  return { receipt, receiptPath: tree.path(index), entry }
}

export function makeLog(entry: Uint8Array, entryIndex: number, size: number) {
  const leaves = Array.from({ length: size }, (_, i) =>
    leafHash(i === entryIndex ? entry : fill(`entry ${i}`)),
  )
  const readNode = (level: number, n: number): Uint8Array =>
    level === 0
      ? (leaves[n] ?? fill('none'))
      : nodeHash(readNode(level - 1, 2 * n), readNode(level - 1, 2 * n + 1))
  const root = treeHash(size, readNode)
  const signer = noteSigner(ORIGIN, fill('log seed'))
  return {
    logPath: proveRecord(entryIndex, size, readNode),
    checkpoint: signNote(encodeCheckpoint({ origin: ORIGIN, size, root }), [signer]),
    logKey: publicKeyBytes(signer),
    payload: encodePayload({ index: 9, origin: ORIGIN, size, root }),
  }
}

function publicKeyBytes({ privateKey }: NoteSigner): Uint8Array {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  return new Uint8Array(Buffer.from(x, 'base64url'))
}

function makeAnchor(method: Method, payload: Uint8Array) {
  const seal = { txid: Buffer.from(fill('seal')).toString('hex'), vout: 0, valueSats: 50_000n, payload: null }
  return buildAnchorTransaction({ method, secretKey: ANCHOR_SECRET_KEY, seal, payload, feeSats: 200n })
}

function mineBlock(txid: string, count: number, position: number): { header: Uint8Array; branch: Branch } {
  const txids = Array.from({ length: count }, (_, i) =>
    i === position ? txid : Buffer.from(fill(`transaction ${i}`)).toString('hex'),
  )
  const branch = proveTransaction(txids, position)
  return { header: mineHeader(genesisHeader, checkBranch(txid, branch)), branch }
}

function blocksAfter(header: Uint8Array): Uint8Array[] {
  const headers: Uint8Array[] = []
  let last = header
  for (let i = 0; i < BLOCKS_AFTER; i += 1) {
    last = mineHeader(last, fill(`block ${i}`))
    headers.push(last)
  }
  return headers
}

/** Regtest's target is met by every second nonce. */
function mineHeader(previous: Uint8Array, merkleRoot: Uint8Array): Uint8Array {
  const header = Buffer.from(previous)
  header.writeInt32LE(0x2000_0000, 0)
  header.set(doubleSha256(previous), 4)
  header.set(merkleRoot, 36)
  header.writeUInt32LE(header.readUInt32LE(68) + BLOCK_SECONDS, 68)
  for (let nonce = 0; ; nonce += 1) {
    header.writeUInt32LE(nonce, 76)
    try {
      checkProofOfWork(header, powLimit)
      return new Uint8Array(header)
    } catch {
      // The next nonce.
    }
  }
}
