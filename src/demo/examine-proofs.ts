import { z } from 'zod'
import { parseHeader } from '../../anchor/block-header.ts'
import type { HeaderChain } from '../../anchor/header-chain.ts'
import { parseOts } from '../../anchor/ots/parse-ots.ts'
import { verifyOts } from '../../anchor/ots/verify-ots.ts'
import { receiptId } from '../../compute/work/receipt.ts'
import { askCoordinator } from '../client/ask-coordinator.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { exportOts } from '../proof/ots.ts'
import { parseProof } from '../proof/proof.ts'
import { verifyProof } from '../proof/verify-proof.ts'
import type { DemoCheck } from './demo-event.ts'

interface ProofFindings {
  /** Of every receipt in the log. */
  readonly ids: ReadonlySet<string>
  readonly verified: number
  /** The largest proof. */
  readonly bytes: number
  readonly otsBytes: number
  readonly checks: readonly DemoCheck[]
}

const pageSchema = z.array(z.object({ receipt: z.string(), entry: z.int(), position: z.int() }))

/** Fetches the proof of every receipt and checks it offline against headers; then one altered, then one as .ots. */
export async function examineProofs(
  url: string,
  verifierKey: string,
  headers: HeaderChain,
  method: 'dual' | 'taproot',
  onFraction: (fraction: number, detail: string) => void,
): Promise<ProofFindings> {
  const { x } = parseVerifierKey(verifierKey).publicKey.export({ format: 'jwk' })
  const logKey = Buffer.from(x ?? '', 'base64url')
  const headerAt = (height: number) => (height <= headers.tipHeight ? headers.headerAt(height) : null)
  const ids = await receiptIds(url)
  let bytes = 0
  let verified = 0
  let failure = ''
  let last = new Uint8Array()
  for (const id of ids) {
    const proof = new Uint8Array(await (await askCoordinator(url, `/v1/receipts/${id}/proof`)).arrayBuffer())
    const report = await verifyProof(proof, { headerAt, logKey })
    if (report.existed && report.receiptId === id) verified += 1
    else failure = `; receipt ${id} failed at ${report.failed}`
    bytes = Math.max(bytes, proof.length)
    last = proof
    onFraction((verified / ids.size) * 0.99, `${verified} of ${ids.size} proofs verified`)
  }
  const altered = last.map((byte, i) => (i === Math.floor(last.length / 2) ? byte ^ 1 : byte))
  const { failed } = await verifyProof(altered, { headerAt, logKey })
  const checks: DemoCheck[] = [
    {
      name: 'proofs',
      ok: verified === ids.size && verified > 0,
      detail: `${verified} of ${ids.size} verified offline${failure}`,
    },
    { name: 'altered proof', ok: failed !== null, detail: `one bit changed: fails at ${failed}` },
  ]
  if (method === 'taproot') return { ids, verified, bytes, otsBytes: 0, checks }
  const proof = parseProof(last)
  const ots = exportOts(proof)
  const results = verifyOts(parseOts(ots), receiptId(proof.receipt), (height) => {
    const header = headerAt(height)
    return header === null ? null : parseHeader(header).merkleRoot
  })
  const confirmed = results.length > 0 && results.every(({ result }) => result === 'confirmed')
  checks.push({
    name: 'OpenTimestamps',
    ok: confirmed,
    detail: `the same receipt as .ots, ${ots.length} bytes`,
  })
  return { ids, verified, bytes, otsBytes: ots.length, checks }
}

async function receiptIds(url: string): Promise<Set<string>> {
  const ids = new Set<string>()
  let page = ''
  for (;;) {
    const receipts = pageSchema.parse(await (await askCoordinator(url, `/v1/receipts${page}`)).json())
    const last = receipts.at(-1)
    if (last === undefined) return ids
    for (const { receipt } of receipts) ids.add(receipt)
    page = `?after=${last.entry}.${last.position}`
  }
}
