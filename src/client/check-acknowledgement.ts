import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckAcknowledgement } from '../../compute/worker/acknowledgement.ts'
import { verifyCheckpoint } from '../log/checkpoint.ts'
import { LogError } from '../log/log-error.ts'
import { NoteError } from '../log/note-error.ts'
import { type NoteVerifier, parseVerifierKey } from '../log/note-key.ts'
import { checkRecord, leafHash } from '../log/rfc6962.ts'

/** The coordinator's log is not what it was, or doesn't hold what its coordinator says. */
export class LogTrustError extends Error {
  override readonly name = 'LogTrustError'
  readonly code: 'log_changed' | 'log_shrunk' | 'acknowledgement_unproven'

  constructor(code: LogTrustError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * Trust on first use: the verifier key that `folder` holds for this origin, or else the given one, which is kept there,
 * judges the acknowledgements. That the log doesn't shrink between two starts of a worker is seen by its own chain of
 * submissions. Throws LogTrustError `log_changed`, NoteError `key_malformed`.
 */
export function trustLog(folder: string, log: { origin: string; logKey: string }): CheckAcknowledgement {
  const verifier = parseVerifierKey(log.logKey)
  if (verifier.name !== log.origin) {
    throw new LogTrustError('log_changed', `the key of the log ${log.origin} is named ${verifier.name}`)
  }
  pin(folder, log)
  let lastSize = 0
  return (acknowledgement) => {
    const size = provenSize(acknowledgement, verifier)
    if (size < lastSize) {
      throw new LogTrustError('log_shrunk', `a log of ${lastSize} entries acknowledges with ${size}`)
    }
    lastSize = size
  }
}

function pin(folder: string, { origin, logKey }: { origin: string; logKey: string }): void {
  const path = join(folder, `${hash('sha256', origin)}.key`)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // Whole or not at all: half a key would never be trusted again.
    const aside = `${path}.partial`
    writeFileSync(aside, `${logKey}\n`, { mode: 0o600, flush: true })
    renameSync(aside, path)
  }
  const pinned = readFileSync(path, 'utf8').trim()
  if (pinned !== logKey) {
    const advice = `if its operator says that this is right, remove ${path}`
    throw new LogTrustError('log_changed', `${origin} had the key ${pinned}, now it is ${logKey}; ${advice}`)
  }
}

/** The size of the signed checkpoint that covers the entry. */
function provenSize(
  { checkpoint, entry, index, path }: Parameters<CheckAcknowledgement>[0],
  verifier: NoteVerifier,
): number {
  try {
    const { size, root } = verifyCheckpoint(checkpoint, verifier)
    checkRecord(path, size, root, index, leafHash(entry))
    return size
  } catch (cause) {
    if (!(cause instanceof NoteError || cause instanceof LogError)) throw cause
    const message = `the coordinator's acknowledgement does not hold: ${cause.message}`
    throw new LogTrustError('acknowledgement_unproven', message, { cause })
  }
}
