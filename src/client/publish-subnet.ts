import { z } from 'zod'
import { encodeDataset } from '../subnet/dataset.ts'
import { encodeDefinition, type SubnetDefinition, type SubnetModel } from '../subnet/definition.ts'
import { askCoordinator } from './ask-coordinator.ts'

/** A subnet with its bytes still in hand. */
export interface SubnetDraft extends Omit<SubnetDefinition, 'v' | 'models' | 'dataset'> {
  readonly models: readonly (Omit<SubnetModel, 'digest' | 'bytes'> & { readonly file: Uint8Array })[]
  /** Input bundles, one for each item. */
  readonly dataset: { readonly items: readonly Uint8Array[]; readonly perEpoch: number } | null
}

/** Hands models and dataset to the coordinator, then the definition that names them. @returns its log index. */
export async function publishSubnet(url: string, token: string, draft: SubnetDraft): Promise<number> {
  const { models, dataset, ...rest } = draft
  const held: SubnetModel[] = []
  // One after the other: of large bodies a coordinator takes four at once, and refuses the fifth.
  for (const { file, ...model } of models)
    held.push({ ...model, bytes: file.length, digest: await putBlob(url, token, file) })
  const definition: SubnetDefinition = {
    ...rest,
    v: 1,
    models: held,
    dataset: dataset === null ? null : await putDataset(url, token, dataset),
  }
  const body = encodeDefinition(definition)
  const response = await askCoordinator(url, '/v1/operator/subnets', { method: 'POST', token, body })
  return z.object({ index: z.int() }).parse(await response.json()).index
}

async function putDataset(
  url: string,
  token: string,
  dataset: { items: readonly Uint8Array[]; perEpoch: number },
) {
  const digests: Uint8Array[] = []
  for (const item of dataset.items) digests.push(await putBlob(url, token, item))
  const list = await putBlob(url, token, encodeDataset(digests))
  return { items: digests.length, list, perEpoch: dataset.perEpoch }
}

/** Holds bytes under their name. @returns it. */
export async function putBlob(url: string, token: string, body: Uint8Array): Promise<Uint8Array> {
  const response = await askCoordinator(url, '/v1/operator/blobs', { method: 'POST', token, body })
  const { digest } = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/) }).parse(await response.json())
  return new Uint8Array(Buffer.from(digest, 'hex'))
}
