/** Every link of a proof, each checked apart; nothing in the file is believed. */
import { headerHash } from '../../anchor/block-header.ts'
import { receiptId } from '../../compute/work/receipt.ts'
import { checkAnchor } from './check-anchor.ts'
import { checkLog } from './check-log.ts'
import { checkWork } from './check-work.ts'
import { type Checklist, openChecklist } from './checklist.ts'
import { type Proof, parseProof } from './proof.ts'
import type { ProofReport } from './proof-report.ts'

/** What the reader knows by itself. */
export interface ProofReader {
  /** The header at that height of a chain that the reader trusts, null where it has none. */
  readonly headerAt?: (height: number) => Uint8Array | null | Promise<Uint8Array | null>
  /** Of the log that the receipt should be in. */
  readonly logKey?: Uint8Array
  /** Of the seals, from the log's genesis. */
  readonly internalKey?: Uint8Array
}

/** Never throws for what is in `bytes`; what `headerAt` throws passes through. */
export async function verifyProof(bytes: Uint8Array, reader: ProofReader = {}): Promise<ProofReport> {
  const list = openChecklist()
  const proof = list.check(
    'format',
    () => parseProof(bytes),
    () => `${bytes.length} bytes`,
  )
  const { receipt, submission } = checkWork(list, proof)
  const head = checkLog(list, proof, reader.logKey)
  const { txid, blockTimeUnix } = checkAnchor(list, proof, head, reader.internalKey)
  await checkHeaderChain(list, proof, reader.headerAt)
  const checks = list.results()
  return {
    ok: checks.every(({ ok }) => ok !== false),
    existed: checks.every(({ ok }) => ok === true),
    checks,
    failed: checks.find(({ ok }) => ok === false)?.name ?? null,
    unpinned: (['logKey', 'internalKey'] as const).filter((key) => reader[key] === undefined),
    receiptId: proof === null ? null : hexOf(receiptId(proof.receipt)),
    job: hexOf(receipt?.job ?? null),
    worker: hexOf(submission?.worker ?? null),
    origin: proof?.origin ?? null,
    size: proof?.size ?? null,
    anchorIndex: proof?.anchorIndex ?? null,
    txid,
    height: proof?.height ?? null,
    blockTimeUnix,
  }
}

async function checkHeaderChain(
  list: Checklist,
  proof: Proof | null,
  headerAt: ProofReader['headerAt'],
): Promise<void> {
  if (proof === null) return list.skip('header_chain', 'there is no header')
  if (headerAt === undefined) return list.skip('header_chain', 'no headers were given')
  const { header, height } = proof
  const own = await headerAt(height)
  list.check(
    'header_chain',
    () => {
      if (own === null) throw new Error(`the chain given has no block ${height}: newer headers may have it`)
      if (Buffer.compare(own, header) !== 0) throw new Error(`block ${height} of the chain given is another`)
    },
    () => `block ${height}, ${headerHash(header)}`,
  )
}

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex')
}
