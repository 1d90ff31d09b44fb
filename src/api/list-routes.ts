import { Router } from 'express'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { listAccounts } from '../coordinator/list-accounts.ts'
import { listAnchors } from '../coordinator/list-anchors.ts'
import { listEpochs } from '../coordinator/list-epochs.ts'
import { receiptsAfter, receiptsBefore } from '../coordinator/list-receipts.ts'
import { listSubnets } from '../coordinator/list-subnets.ts'
import { listEarnings, listWorkers } from '../coordinator/list-workers.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { statementOf } from '../coordinator/statement.ts'
import { accountOf, cursorOf, cursorSchema, parseCursor, placeOf } from './cursor.ts'
import { sendJson, sendKept, toJson } from './json.ts'
import type { KeptAnswers } from './kept-answers.ts'
import { openHouseOf } from './open-house.ts'

/** What the explorer shows page by page. All of it is public: it follows from log, blobs and chain. */
export function listRoutes(coordinator: Coordinator, answers: KeptAnswers): Router {
  const routes = Router()

  function workerOf(text: string): Uint8Array {
    const { desks } = openHouseOf(coordinator)
    const key = Buffer.from(text, 'hex')
    if (/^[0-9a-f]{64}$/.test(text) && desks.registry.find(key) !== null) return key
    throw new RefusedError(404, 'worker_unknown', 'no worker is registered with that key')
  }

  routes.get('/v1/anchors/list', (request, response) => {
    const before = cursorOf(request.query.before, 'before')
    sendJson(response, listAnchors(openHouseOf(coordinator), before))
  })

  routes.get('/v1/epochs', (request, response) => {
    const before = cursorOf(request.query.before, 'before')
    sendJson(response, listEpochs(coordinator, openHouseOf(coordinator), before))
  })

  routes.get('/v1/accounts', (request, response) => {
    openHouseOf(coordinator)
    const { after, size } = request.query
    sendJson(
      response,
      listAccounts(
        coordinator,
        accountOf(after),
        parseCursor(cursorSchema, size, 'size: expected a number of entries'),
      ),
    )
  })

  routes.get('/v1/workers', (request, response) => {
    const after = cursorOf(request.query.after, 'after')
    openHouseOf(coordinator)
    sendJson(response, listWorkers(coordinator, after))
  })

  routes.get('/v1/workers/:key/earnings', (request, response) => {
    const key = workerOf(request.params.key)
    sendJson(response, listEarnings(coordinator, key, cursorOf(request.query.before, 'before')))
  })

  routes.get('/v1/workers/:key/statement', (request, response) => {
    const key = workerOf(request.params.key)
    const { epoch, after } = request.query
    const page = { epoch: cursorOf(epoch, 'epoch'), after: placeOf(after, 'after') }
    sendJson(response, statementOf(coordinator, openHouseOf(coordinator), key, page))
  })

  routes.get('/v1/subnets', (_request, response) => {
    sendJson(response, listSubnets(coordinator, openHouseOf(coordinator)))
  })

  routes.get('/v1/receipts', (request, response) => {
    openHouseOf(coordinator)
    const after = placeOf(request.query.after, 'after')
    const before = placeOf(request.query.before, 'before')
    const answer = answers(request, () =>
      toJson(before === null ? receiptsAfter(coordinator, after) : receiptsBefore(coordinator, before)),
    )
    sendKept(response, answer)
  })

  return routes
}
