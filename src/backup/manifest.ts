import { z } from 'zod'
import { BackupError } from './backup-error.ts'

/** A backup's own account of itself, beside what it holds. */
export const MANIFEST = 'manifest.json'

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)

const schema = z.strictObject({
  version: z.literal(1),
  origin: z.string().min(1),
  network: z.string().min(1),
  takenAt: z.iso.datetime(),
  /** The log that the database holds. */
  log: z.strictObject({ size: count, root: sha256Hex }),
  /** SHA-256 of each file. */
  files: z.strictObject({
    'assay.sqlite': sha256Hex,
    'assay.toml': sha256Hex,
    'keystore.json': z.exactOptional(sha256Hex),
    payloads: z.exactOptional(sha256Hex),
  }),
  blobs: z.strictObject({ count, bytes: count }),
})

export type Manifest = z.infer<typeof schema>

export function encodeManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** Throws BackupError `backup_malformed`. */
export function parseManifest(text: string): Manifest {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw new BackupError('backup_malformed', `${MANIFEST} is not one of ours`, { cause })
  }
}
