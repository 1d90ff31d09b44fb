import { z } from 'zod'
import { listAnswer } from '../../client/auditors.ts'
import { accountsAnswer } from '../../client/read-books.ts'
import { reconciliationSchema } from '../../client/read-reconciliation.ts'
import { statementAnswer } from '../../client/read-statement.ts'
import { statusAnswer } from '../../client/status-answer.ts'
import {
  anchorsAnswer,
  earningsAnswer,
  epochsAnswer,
  infoAnswer,
  liveStateAnswer,
  readyAnswer,
  receiptsAnswer,
  subnetsAnswer,
  workerAnswer,
  workersAnswer,
} from '../answers.ts'
import { accountSchema, cursorSchema, placeSchema } from '../cursor.ts'
import { BYTES, type Content, cbor, json, type Operation } from './operation.ts'

const HTML: Content = { type: 'text/html', schema: z.string() }
const TEXT: Content = { type: 'text/plain', schema: z.string() }

function get(
  id: string,
  path: string,
  summary: string,
  answer: Content,
  query: Readonly<Record<string, z.ZodType>> = {},
): Operation {
  return { id, method: 'get', path, summary, opener: 'anybody', status: 200, answer, query }
}

/** A cursor is the key of the last row of the page before. */
const before = { before: cursorSchema }
const after = { after: cursorSchema }
const from = { from: cursorSchema }

export const PUBLIC_OPERATIONS: readonly Operation[] = [
  get('explorer', '/', 'The explorer.', HTML),
  get('verifyPage', '/verify', 'Checks a proof in the browser.', HTML),
  get('openapi', '/openapi.json', 'This document.', json(z.object({ openapi: z.string() }))),
  get('isAlive', '/healthz', 'Whether it runs.', json(z.object({ ok: z.literal(true) }))),
  get('isReady', '/readyz', 'Whether the log is open and the last round held.', json(readyAnswer)),
  get('metrics', '/metrics', 'Prometheus figures.', TEXT),
  get('status', '/v1/status', 'All that an operator’s screen shows.', json(statusAnswer)),
  get('events', '/v1/events', 'Server-sent events: the whole state each time that it changes.', {
    type: 'text/event-stream',
    schema: liveStateAnswer,
  }),
  get('info', '/v1/info', 'The log’s name and key, and every model that ever was one.', json(infoAnswer)),
  get('listAuditors', '/v1/auditors', 'Who may be drawn to audit.', json(listAnswer)),
  get('proof', '/v1/receipts/{id}/proof', 'A receipt’s proof file.', BYTES),
  get('ots', '/v1/receipts/{id}/ots', 'The same as an OpenTimestamps file.', BYTES),
  get(
    'reconciliation',
    '/v1/reconciliation',
    'Books against bitcoind at one tip.',
    json(reconciliationSchema),
  ),
  get('listAnchors', '/v1/anchors/list', '50 anchors, the newest first.', json(anchorsAnswer), before),
  get('anchors', '/v1/anchors', 'An anchors file of the mined ones from an index on.', cbor(null), from),
  get('listEpochs', '/v1/epochs', '50 epochs, the newest first.', json(epochsAnswer), before),
  get(
    'listAccounts',
    '/v1/accounts',
    '1,000 accounts of the books in the order of their names.',
    json(accountsAnswer),
    { after: accountSchema, size: cursorSchema },
  ),
  get('listWorkers', '/v1/workers', '50 workers in the order of the log.', json(workersAnswer), after),
  get('worker', '/v1/workers/{key}', 'Where a worker is paid, and its standing.', json(workerAnswer)),
  get(
    'earnings',
    '/v1/workers/{key}/earnings',
    'What a worker earned, by epoch and subnet, the newest first.',
    json(earningsAnswer),
    before,
  ),
  get(
    'statement',
    '/v1/workers/{key}/statement',
    'What a worker earned in an epoch and why, 100 receipts at a time.',
    json(statementAnswer),
    { epoch: cursorSchema, after: placeSchema },
  ),
  get('listSubnets', '/v1/subnets', 'The markets in force.', json(subnetsAnswer)),
  get(
    'listReceipts',
    '/v1/receipts',
    '100 receipts in the order of the log, or before one.',
    json(receiptsAnswer),
    {
      after: placeSchema,
      before: placeSchema,
    },
  ),
  get('headers', '/v1/headers', 'Block headers from a height on, 80 bytes each.', BYTES, from),
  get('checkpoint', '/log/checkpoint', 'The log’s signed head (C2SP tlog-checkpoint).', TEXT),
  get('tile', '/log/tile/{path}', 'A tile (C2SP tlog-tiles); the path has slashes of its own.', BYTES),
  get('blob', '/blobs/{name}', 'Bytes by their SHA-256, whole or by one range.', BYTES),
]
