import { z } from 'zod'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { askCoordinator } from './ask-coordinator.ts'
import { putBlob } from './publish-subnet.ts'

/** A known answer with its bundles in hand; subnet and model by their names. */
export interface CanaryDraft {
  readonly subnet: string
  readonly model: string
  readonly inputs: Uint8Array
  readonly outputs: Uint8Array
}

const answer = z.object({ added: z.int(), left: z.int() })

/** What one request takes. */
const MAX_BATCH = 256

/** Hands over bundles, then the canaries that name them. @returns how many were new, and how many wait to be leased. */
export async function addCanaries(
  url: string,
  token: string,
  drafts: readonly CanaryDraft[],
): Promise<z.infer<typeof answer>> {
  let added = 0
  let left = 0
  for (let from = 0; from < drafts.length; from += MAX_BATCH) {
    const canaries = []
    for (const { subnet, model, inputs, outputs } of drafts.slice(from, from + MAX_BATCH)) {
      const input = await putBlob(url, token, inputs)
      canaries.push({ subnet, model, inputs: input, outputs: await putBlob(url, token, outputs) })
    }
    const body = encodeCbor({ canaries })
    const response = await askCoordinator(url, '/v1/operator/canaries', { method: 'POST', token, body })
    const taken = answer.parse(await response.json())
    added += taken.added
    left = taken.left
  }
  return { added, left }
}
