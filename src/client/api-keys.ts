import { z } from 'zod'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { askCoordinator, type Operator } from './ask-coordinator.ts'

const PATH = '/v1/operator/keys'
const listAnswer = z.object({
  keys: z.array(z.object({ role: z.string(), name: z.string(), createdMs: z.int() })),
})

type ListedKeys = z.infer<typeof listAnswer>

/** Every one, page by page. */
export async function listApiKeys({ url, token }: Operator): Promise<ListedKeys> {
  const all: ListedKeys['keys'] = []
  for (let after = ''; ; ) {
    const { keys } = listAnswer.parse(await (await askCoordinator(url, `${PATH}${after}`, { token })).json())
    const last = keys.at(-1)
    if (last === undefined) return { keys: all }
    all.push(...keys)
    after = `?after=${last.role}.${last.name}`
  }
}

/** @returns the key, which nobody is shown again */
export async function addApiKey({ url, token }: Operator, role: string, name: string): Promise<string> {
  const body = encodeCbor({ role, name })
  const response = await askCoordinator(url, PATH, { method: 'POST', token, body })
  return z.object({ apiKey: z.string() }).parse(await response.json()).apiKey
}

export async function revokeApiKey({ url, token }: Operator, role: string, name: string): Promise<void> {
  const path = `${PATH}/${encodeURIComponent(role)}/${encodeURIComponent(name)}`
  await askCoordinator(url, path, { method: 'DELETE', token })
}
