import { createRequire } from 'node:module'
import { z } from 'zod'

const packageSchema = z.object({ name: z.string(), version: z.string() })

/** By its own name, since sources and built files stand at different depths below it. */
export function ownPackage(): z.infer<typeof packageSchema> {
  return packageSchema.parse(createRequire(import.meta.url)('assay/package.json'))
}
