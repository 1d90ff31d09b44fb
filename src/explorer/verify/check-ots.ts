import { parseHeader } from '../../../anchor/block-header.ts'
import { OtsError } from '../../../anchor/ots/ots-error.ts'
import { parseOts } from '../../../anchor/ots/parse-ots.ts'
import type { Timestamp } from '../../../anchor/ots/timestamp.ts'
import { verifyOts } from '../../../anchor/ots/verify-ots.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type HeaderSource, type Headers, readHeaders } from './header-source.ts'
import type { Result, ShownCheck } from './result.ts'

/** An OpenTimestamps file; `stamped` is the file that it is about, null where the reader hasn't given it. */
export async function checkOts(
  bytes: Uint8Array,
  stamped: Uint8Array | null,
  source: HeaderSource,
): Promise<Result> {
  const startedMs = performance.now()
  const checks: ShownCheck[] = []
  const remarks: string[] = []
  let waitedMs = 0
  try {
    const timestamp = parseOts(bytes)
    checks.push(formatCheck(true, `${bytes.length} bytes`), fileCheck(timestamp, stamped))
    const heights = heightsOf(timestamp)
    const askedMs = performance.now()
    const chains = await headersOf(source, heights, remarks)
    waitedMs = performance.now() - askedMs
    for (const { attestation, result } of verifyOts(timestamp, timestamp.message, (height) => {
      const header = chains.get(height)?.headerAt(height) ?? null
      return header === null ? null : parseHeader(header).merkleRoot
    })) {
      if (attestation.kind === 'bitcoin') checks.push(blockCheck(attestation.height, result, chains))
    }
    if (heights.length === 0)
      remarks.push('No Bitcoin block vouches for it: a calendar’s promise says nothing.')
  } catch (error) {
    if (!(error instanceof OtsError)) throw error
    checks.push(formatCheck(false, error.message))
  }
  const tookMs = performance.now() - startedMs - waitedMs
  return { ...verdictOf(checks), remarks, checks, facts: [], tookMs }
}

function formatCheck(ok: boolean, detail: string): ShownCheck {
  return {
    name: 'format',
    title: 'The file is an OpenTimestamps proof',
    meaning: 'Its operations are read, and every hash in it is computed anew.',
    ok,
    detail,
  }
}

function fileCheck({ message }: Timestamp, stamped: Uint8Array | null): ShownCheck {
  const digest = Buffer.from(message).toString('hex')
  const ok = stamped === null ? null : Buffer.compare(sha256(stamped), message) === 0
  return {
    name: 'file',
    title: 'It is about your file',
    meaning: 'The SHA-256 of the stamped file is where the proof starts.',
    ok,
    detail:
      ok === null
        ? `not checked: no file given. It stamps the file with SHA-256 ${digest}`
        : ok
          ? digest
          : `the file has another SHA-256 than ${digest}`,
  }
}

function blockCheck(
  height: number,
  result: 'confirmed' | 'refuted' | 'unknown_block' | 'unsupported',
  chains: ReadonlyMap<number, Headers>,
): ShownCheck {
  const isGiven = chains.has(height)
  return {
    name: 'block',
    title: `Block ${height} vouches for it`,
    meaning: 'The proof’s last hash is the Merkle root in the header of that block.',
    ok: result === 'confirmed' ? true : isGiven ? false : null,
    detail:
      result === 'confirmed'
        ? 'the header has that root'
        : !isGiven
          ? 'not checked: no headers'
          : result === 'refuted'
            ? 'the header has another root'
            : 'the headers given have no such block',
  }
}

function heightsOf({ attestations, ops }: Timestamp): number[] {
  const own = attestations.flatMap((attestation) =>
    attestation.kind === 'bitcoin' ? [attestation.height] : [],
  )
  return [...new Set([...own, ...ops.flatMap(({ timestamp }) => heightsOf(timestamp))])]
}

async function headersOf(source: HeaderSource, heights: readonly number[], remarks: string[]) {
  const chains = new Map<number, Headers>()
  for (const height of heights) {
    try {
      const headers = await readHeaders(source, height)
      if (headers === null) continue
      chains.set(height, headers)
      remarks.push(`Headers: ${headers.checked}.`)
    } catch (error) {
      remarks.push(`No headers to check against: ${error instanceof Error ? error.message : String(error)}.`)
    }
  }
  return chains
}

function verdictOf(checks: readonly ShownCheck[]): Pick<Result, 'tone' | 'verdict'> {
  const failed = checks.find(({ ok }) => ok === false)
  if (failed !== undefined) {
    return { tone: 'bad', verdict: `This proof does not hold. It fails at: ${failed.title}.` }
  }
  const block = checks.find(({ name, ok }) => name === 'block' && ok === true)
  const file = checks.find(({ name }) => name === 'file')
  if (block === undefined) {
    return { tone: 'open', verdict: 'The proof can be read. Give headers to see what its block says.' }
  }
  return file?.ok === true
    ? { tone: 'good', verdict: `Your file existed: ${block.title}.` }
    : {
        tone: 'good',
        verdict: `A file with this SHA-256 existed: ${block.title}. Give the file to see that it is yours.`,
      }
}
