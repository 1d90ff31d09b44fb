import type { z } from 'zod'

/** Whose word opens it: none is needed, a worker's signature, or an API key of a role. */
type Opener = 'anybody' | 'worker' | 'requester' | 'operator'

/** A body: what it is sent as, and its form where it has one of ours. */
export interface Content {
  readonly type: string
  readonly schema: z.ZodType | null
}

/** One route as `/openapi.json` describes it. */
export interface Operation {
  readonly id: string
  readonly method: 'get' | 'post' | 'delete'
  /** OpenAPI's template: `/v1/workers/{key}`. */
  readonly path: string
  readonly summary: string
  readonly opener: Opener
  readonly query?: Readonly<Record<string, z.ZodType>>
  readonly body?: Content
  readonly status: number
  /** Null where nothing but a status comes. */
  readonly answer: Content | null
}

export const BYTES: Content = { type: 'application/octet-stream', schema: null }

export function json(schema: z.ZodType): Content {
  return { type: 'application/json', schema }
}

/** Canonical CBOR (PROTOCOL §1); byte strings are shown as binary strings. */
export function cbor(schema: z.ZodType | null): Content {
  return { type: 'application/cbor', schema }
}
