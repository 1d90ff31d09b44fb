import { z } from 'zod'
import { voidedPayout } from '../../client/payouts.ts'
import { transfersAnswer } from '../../client/read-transfers.ts'
import { ROLES } from '../../coordinator/api-keys.ts'
import { definition } from '../../subnet/definition.ts'
import { accountSchema, cursorSchema } from '../cursor.ts'
import { keyCursor, newKey } from '../key-routes.ts'
import { canaries, decision, thaw } from '../operator-routes.ts'
import { stop } from '../payout-routes.ts'
import { BYTES, type Content, cbor, json, type Operation } from './operation.ts'
import { holding } from './requester-operations.ts'

const entryIndex = json(z.object({ index: z.int() }))
const money = z.string()
const coin = z.object({ txid: z.string(), vout: z.int(), valueSats: money, keyIndex: z.int() })
const payee = z.object({ account: z.string(), address: z.string(), sats: money })
const stopped = z.object({ reason: z.string(), sinceMs: z.int() }).nullable()
const trouble = z.string().nullable()

function operation(
  method: Operation['method'],
  id: string,
  path: string,
  summary: string,
  status: number,
  answer: Content | null,
  body?: Content,
): Operation {
  const described = {
    id,
    method,
    path: `/v1/operator${path}`,
    summary,
    opener: 'operator',
    status,
    answer,
  } as const
  return body === undefined ? described : { ...described, body }
}

export const OPERATOR_OPERATIONS: readonly Operation[] = [
  operation(
    'post',
    'putBlob',
    '/blobs',
    'Keeps bytes by their hash.',
    201,
    json(z.object({ digest: z.string() })),
    BYTES,
  ),
  operation('post', 'defineSubnet', '/subnets', 'A market.', 201, entryIndex, cbor(definition)),
  operation('post', 'decideAuditor', '/auditors', 'Who may audit.', 201, entryIndex, cbor(decision)),
  operation(
    'post',
    'addCanaries',
    '/canaries',
    'Known answers, by bundles that are held.',
    201,
    json(z.object({ added: z.int(), left: z.int() })),
    cbor(canaries),
  ),
  operation('post', 'thawModel', '/thaws', 'Ends a freeze.', 201, entryIndex, cbor(thaw)),
  operation(
    'post',
    'anchorNow',
    '/anchor',
    'Anchors what is in the log now.',
    202,
    json(z.object({ requested: z.literal(true), size: z.int() })),
  ),
  {
    ...operation(
      'get',
      'listKeys',
      '/keys',
      'Who has an API key, page by page.',
      200,
      json(
        z.object({ keys: z.array(z.object({ role: z.enum(ROLES), name: z.string(), createdMs: z.int() })) }),
      ),
    ),
    query: { after: keyCursor },
  },
  operation(
    'post',
    'addKey',
    '/keys',
    'Gives out a key, shown this once.',
    201,
    json(newKey.extend({ apiKey: z.string() })),
    cbor(newKey),
  ),
  {
    ...operation(
      'get',
      'listRequesters',
      '/requesters',
      'Accounts and what is left in them, 100 in the order of names.',
      200,
      json(z.object({ requesters: z.array(holding) })),
    ),
    query: { after: accountSchema },
  },
  operation('delete', 'revokeKey', '/keys/{role}/{name}', 'From now on it opens nothing.', 204, null),
  {
    ...operation(
      'get',
      'listTransfers',
      '/transfers',
      'The ledger, 1,000 at a time.',
      200,
      json(transfersAnswer),
    ),
    query: { account: z.string(), after: cursorSchema },
  },
  operation(
    'get',
    'planPayout',
    '/payouts/plan',
    'What the next payout would be.',
    200,
    json(
      z.object({
        height: z.int(),
        payees: z.array(payee),
        held: z.array(payee.extend({ reason: z.string() })),
        totalSats: money,
        quote: z.object({ coins: z.array(coin), vsize: z.int(), feeSats: money }).nullable(),
        trouble,
        stopped,
      }),
    ),
  ),
  operation(
    'post',
    'runPayouts',
    '/payouts/run',
    'A round now.',
    200,
    json(
      z.object({
        payouts: z.array(z.object({ number: z.int(), totalSats: money, state: z.string() })),
        trouble,
      }),
    ),
  ),
  operation(
    'post',
    'stopPayouts',
    '/payouts/stop',
    'The kill switch.',
    200,
    json(z.object({ stopped })),
    cbor(stop),
  ),
  operation(
    'post',
    'resumePayouts',
    '/payouts/resume',
    'Signs and sends again.',
    200,
    json(z.object({ stopped })),
  ),
  operation(
    'post',
    'voidPayout',
    '/payouts/{number}/void',
    'Gives up a payout of whose coins something else has spent one for good.',
    200,
    json(voidedPayout),
  ),
  operation(
    'get',
    'unsignedPsbt',
    '/payouts/{number}/psbt',
    'What waits for a signature (BIP-174).',
    200,
    BYTES,
  ),
  operation(
    'post',
    'importPsbt',
    '/payouts/{number}/psbt',
    'The same, signed.',
    200,
    json(z.object({ txid: z.string() })),
    BYTES,
  ),
]
