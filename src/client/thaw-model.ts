import { z } from 'zod'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { askCoordinator } from './ask-coordinator.ts'

/** Says in the log why unrelated workers failed on a model together. @returns the entry's index. */
export async function thawModel(
  url: string,
  token: string,
  decision: { subnet: string; model: Uint8Array; status: 'recalibrated' | 'upheld' },
): Promise<number> {
  const body = encodeCbor(decision)
  const response = await askCoordinator(url, '/v1/operator/thaws', { method: 'POST', token, body })
  return z.object({ index: z.int() }).parse(await response.json()).index
}
