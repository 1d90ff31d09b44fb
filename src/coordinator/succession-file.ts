/** What `assay log succeed` leaves in a data folder for the genesis to come: the old log, and the blob of its balances. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { anyBytes } from '../../compute/work/record.ts'
import { type Succession, succession } from '../log/entry.ts'
import { parseInheritedBalances } from '../log/inherited-balances.ts'
import { writeAtomically } from '../monitor/write-atomically.ts'

export interface Inheritance {
  readonly succeeds: Succession
  /** The blob that it names. */
  readonly blob: Uint8Array
}

/** The blob's 64 MiB and a signed note. */
const MAX_BYTES = 65 * 1024 * 1024

const schema = z.strictObject({ succeeds: succession, blob: anyBytes })

export async function writeInheritance(dataDir: string, inheritance: Inheritance): Promise<string> {
  const path = fileIn(dataDir)
  await writeAtomically(path, encodeCbor({ succeeds: inheritance.succeeds, blob: inheritance.blob }))
  return path
}

/** Null where the log to be opened succeeds no other. Throws CborError, ZodError. */
export function readInheritance(dataDir: string): Inheritance | null {
  const path = fileIn(dataDir)
  if (!existsSync(path)) return null
  const inheritance = schema.parse(decodeCbor(readFileSync(path), { maxBytes: MAX_BYTES }))
  parseInheritedBalances(inheritance.blob)
  return inheritance
}

/** A log that is open took over nothing, and never will: better no coordinator than one that forgets a debt. */
export class InheritanceError extends Error {
  override readonly name = 'InheritanceError'
  readonly code = 'inheritance_too_late'

  constructor(origin: string) {
    super(
      `${origin} was opened before it was to succeed another log: open a third one, or remove the inheritance`,
    )
  }
}

function fileIn(dataDir: string): string {
  return join(dataDir, 'inheritance.cbor')
}
