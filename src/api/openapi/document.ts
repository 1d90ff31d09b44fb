import { z } from 'zod'
import type { Content, Operation } from './operation.ts'
import { OPERATOR_OPERATIONS } from './operator-operations.ts'
import { PUBLIC_OPERATIONS } from './public-operations.ts'
import { REQUESTER_OPERATIONS } from './requester-operations.ts'
import { WORKER_OPERATIONS } from './worker-operations.ts'

export const OPERATIONS: readonly Operation[] = [
  ...PUBLIC_OPERATIONS,
  ...WORKER_OPERATIONS,
  ...REQUESTER_OPERATIONS,
  ...OPERATOR_OPERATIONS,
]

const TAGS = {
  anybody: 'What anybody may read: it follows from log, blobs and chain.',
  worker: 'Workers and auditors: CBOR, signed by the key that it speaks for (docs/PROTOCOL.md §6).',
  requester: 'The Open Inference Protocol v2, and the accounts that pay for it.',
  operator: "The operator's, by its token or an API key.",
} as const

const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Stable: match on this.'),
  detail: z.string(),
})
/** As the Open Inference Protocol has it, with the stable code beside the text. */
const oipProblem = z.object({ error: z.string(), code: z.string() })

/** The whole HTTP surface as an OpenAPI 3.1 document, of the schemas that requests are checked by. */
export function openapiDocument(version: string): Record<string, unknown> {
  const paths = Object.groupBy(OPERATIONS, ({ path }) => path)
  return {
    openapi: '3.1.1',
    info: {
      title: 'Assay coordinator',
      version,
      description:
        'Work that machines can prove, anchored in Bitcoin. docs/PROTOCOL.md has the exact formats.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The coordinator that serves this document.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(
      Object.entries(paths).map(([path, operations = []]) => [
        path,
        Object.fromEntries(operations.map((operation) => [operation.method, describe(operation)])),
      ]),
    ),
    components: {
      securitySchemes: {
        worker: {
          type: 'apiKey',
          in: 'header',
          name: 'authorization',
          description: 'Assay-Session key=…,session=…,until=…,grant=…,time=…,nonce=…,signature=…',
        },
        requester: { type: 'http', scheme: 'bearer', description: "The account's API key." },
        operator: {
          type: 'http',
          scheme: 'bearer',
          description: 'The operator token or a key of the role operator; read_only for GET.',
        },
      },
      responses: {
        Problem: {
          description: 'Refused (RFC 9457).',
          content: contentOf('application/problem+json', problem),
        },
        OipProblem: { description: 'Refused.', content: contentOf('application/json', oipProblem) },
      },
    },
  }
}

function describe({ id, path, summary, opener, query = {}, body, status, answer }: Operation) {
  const refused = { $ref: `#/components/responses/${path.startsWith('/v2') ? 'OipProblem' : 'Problem'}` }
  return {
    operationId: id,
    summary,
    tags: [opener],
    security: opener === 'anybody' ? [] : [{ [opener]: [] }],
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      ...Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema: toSchema(schema) })),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: bodyOf(body) } }),
    responses: {
      [status]: { description: 'Done.', ...(answer === null ? {} : { content: bodyOf(answer) }) },
      '4XX': refused,
      '5XX': refused,
    },
  }
}

function bodyOf({ type, schema }: Content) {
  return schema === null
    ? { [type]: { schema: { type: 'string', format: 'binary' } } }
    : contentOf(type, schema)
}

function contentOf(type: string, schema: z.ZodType) {
  return { [type]: { schema: toSchema(schema) } }
}

/** What may be sent, before any check turns it into something else. */
function toSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema, ...described } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const { type } = zodSchema._zod.def
      // The two that CBOR has and JSON lacks.
      if (type === 'custom') Object.assign(jsonSchema, { type: 'string', format: 'binary' })
      if (type === 'bigint') Object.assign(jsonSchema, { type: 'integer', format: 'int64' })
    },
  })
  return described
}
