import { parseVerifierKey } from '../../log/note-key.ts'
import type { ProofReport } from '../../proof/proof-report.ts'
import { verifyProof } from '../../proof/verify-proof.ts'
import { formatTime } from '../format.ts'
import { CHECK_TEXTS } from './check-texts.ts'
import { type HeaderSource, readHeaders } from './header-source.ts'
import type { Result } from './result.ts'

/** Keys that the reader knows from elsewhere; empty where not. */
export interface Pins {
  /** The log's C2SP verifier key. */
  readonly logKey: string
  /** Of the seals, 64 hex digits. */
  readonly internalKey: string
}

/** The checks of `assay proof verify`, by the same code. */
export async function checkProof(bytes: Uint8Array, source: HeaderSource, pins: Pins): Promise<Result> {
  const keys = keysOf(pins)
  const remarks: string[] = []
  let waitedMs = 0
  const startedMs = performance.now()
  const headerAt = async (height: number) => {
    const askedMs = performance.now()
    const headers = await readHeaders(source, height).finally(() => {
      waitedMs = performance.now() - askedMs
    })
    if (headers !== null) remarks.push(`Headers: ${headers.checked}.`)
    return headers?.headerAt(height) ?? null
  }
  let report: ProofReport
  try {
    report = await verifyProof(bytes, source.kind === 'none' ? keys : { ...keys, headerAt })
  } catch (error) {
    // Headers that can't be had or don't hold say nothing about the proof: it is checked without.
    remarks.push(`No headers to check against: ${error instanceof Error ? error.message : String(error)}.`)
    report = await verifyProof(bytes, keys)
  }
  const tookMs = performance.now() - startedMs - waitedMs
  if (report.unpinned.length > 0 && report.ok) {
    remarks.push(
      `Whose log it is only the proof itself says: compare ${report.unpinned.map((key) => (key === 'logKey' ? 'the log key' : 'the internal key')).join(' and ')} with what its operator publishes, or give them below.`,
    )
  }
  return {
    ...verdictOf(report),
    remarks,
    checks: report.checks.map((check) => ({ ...check, ...CHECK_TEXTS[check.name] })),
    facts: factsOf(report),
    tookMs,
  }
}

/** Throws Error with a text for the reader. */
function keysOf({ logKey, internalKey }: Pins): { logKey?: Uint8Array; internalKey?: Uint8Array } {
  const keys: { logKey?: Uint8Array; internalKey?: Uint8Array } = {}
  if (logKey !== '') {
    const { x = '' } = parseVerifierKey(logKey).publicKey.export({ format: 'jwk' })
    keys.logKey = Buffer.from(x, 'base64url')
  }
  if (internalKey !== '') {
    if (!/^[0-9a-f]{64}$/i.test(internalKey)) throw new Error('The internal key is not 64 hex digits.')
    keys.internalKey = Buffer.from(internalKey, 'hex')
  }
  return keys
}

function verdictOf({
  existed,
  failed,
  height,
  blockTimeUnix,
}: ProofReport): Pick<Result, 'tone' | 'verdict'> {
  if (failed !== null) {
    return { tone: 'bad', verdict: `This proof does not hold. It fails at: ${CHECK_TEXTS[failed].title}.` }
  }
  if (existed) {
    const time = blockTimeUnix === null ? '' : `, ${formatTime(blockTimeUnix)}`
    return { tone: 'good', verdict: `This receipt existed when block ${height} was mined${time}.` }
  }
  return {
    tone: 'open',
    verdict: `The proof is consistent in itself. Give headers to see that block ${height} is in the chain.`,
  }
}

function factsOf(report: ProofReport): [string, string][] {
  const { receiptId, job, worker, origin, size, anchorIndex, txid, height } = report
  const facts: [string, string | number | null][] = [
    ['Receipt', receiptId],
    ['Job', job],
    ['Worker', worker],
    ['Log', origin],
    ['Entries in it', size],
    ['Anchor', anchorIndex],
    ['Transaction', txid],
    ['Block', height],
  ]
  return facts.flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]]))
}
