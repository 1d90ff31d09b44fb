import express, { type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { admitModel } from '../../compute/onnx/admission.ts'
import { bytes32 } from '../../compute/work/record.ts'
import type { ApiKeys } from '../coordinator/api-keys.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { epochNow } from '../coordinator/epoch-now.ts'
import { listTransfers } from '../coordinator/list-transfers.ts'
import { MAX_REASON_LENGTH } from '../log/entry.ts'
import { epochOf } from '../rules/epoch.ts'
import { epochRules } from '../rules/epoch-rules.ts'
import { parseDefinition } from '../subnet/definition.ts'
import { MAX_BODY_BYTES, parseCborBody, rawBody } from './cbor-body.ts'
import { accountOf, cursorOf } from './cursor.ts'
import { sendJson } from './json.ts'
import { keyRoutes } from './key-routes.ts'
import { openHouseOf, workingHouseOf } from './open-house.ts'
import { payoutRoutes } from './payout-routes.ts'
import { holdingOf } from './requester-routes.ts'

/** One request carries at most so many: each is read and checked before the next. */
const MAX_CANARIES = 256

export const thaw = z.strictObject({
  subnet: z.string(),
  model: bytes32,
  status: z.enum(['recalibrated', 'upheld']),
})

export const decision = z.strictObject({
  worker: bytes32,
  status: z.enum(['admitted', 'withdrawn']),
  reason: z.string().min(1).max(MAX_REASON_LENGTH),
})

export const canaries = z.strictObject({
  canaries: z
    .array(z.strictObject({ subnet: z.string(), model: z.string(), inputs: bytes32, outputs: bytes32 }))
    .min(1)
    .max(MAX_CANARIES),
})

/** What the operator alone may do, by the token that `assay up` writes into the data folder or by a key of its role. */
export function operatorRoutes(
  coordinator: Coordinator,
  { apiKeys, asOperator }: { apiKeys: ApiKeys; asOperator: RequestHandler },
): Router {
  const routes = Router()
  // The key first: strangers' bodies are not even read.
  routes.use(asOperator, express.raw({ type: () => true, limit: MAX_BODY_BYTES }))

  /** Any blob: a model, a dataset's list, an input. */
  routes.post('/blobs', (request, response) => {
    const [digest] = coordinator.books.blobs.putMany([rawBody(request)])
    response.status(201).json({ digest })
  })

  routes.post('/subnets', (request, response) => {
    const { genesis, desks } = workingHouseOf(coordinator)
    const definition = parseDefinition(rawBody(request))
    for (const { digest } of definition.models) {
      const model = coordinator.books.blobs.get(Buffer.from(digest).toString('hex'))
      if (model !== null) admitModel(model)
    }
    const index = desks.market.define(definition, epochOf(coordinator.reachedTip() + 1, epochRules(genesis)))
    response.status(201).json({ index })
  })

  /** Who may audit. */
  routes.post('/auditors', (request, response) => {
    const { desks } = workingHouseOf(coordinator)
    const index = desks.auditors.decide(parseCborBody(decision, rawBody(request)))
    response.status(201).json({ index })
  })

  /** Known answers, by bundles that are held. */
  routes.post('/canaries', (request, response) => {
    const { desks, genesis } = workingHouseOf(coordinator)
    const epoch = epochNow(coordinator, genesis) ?? 0
    const { canaries: given } = parseCborBody(canaries, rawBody(request))
    response.status(201).json({ added: desks.canaries.add(given, epoch), left: desks.canaries.left() })
  })

  /** Ends a freeze. */
  routes.post('/thaws', (request, response) => {
    const { desks } = workingHouseOf(coordinator)
    const { subnet, model, status } = parseCborBody(thaw, rawBody(request))
    const index = desks.standings.thaw({ subnet, digest: model }, status)
    response.status(201).json({ index })
  })

  /** Anchors what is in the log now, at the next round, whatever the cadence. */
  routes.post('/anchor', (_request, response) => {
    const { anchorer } = workingHouseOf(coordinator)
    anchorer.request()
    void coordinator.kick()
    response.status(202).json({ requested: true, size: coordinator.books.log.size() })
  })

  routes.use('/keys', keyRoutes(apiKeys))

  /** Everybody's account. */
  routes.get('/requesters', (request, response) => {
    const { desks } = openHouseOf(coordinator)
    const page = desks.requesters.list(accountOf(request.query.after) ?? '')
    sendJson(response, { requesters: page.map((one) => holdingOf(coordinator.books, desks, one)) })
  })

  routes.get('/transfers', (request, response) => {
    const { account } = request.query
    const rows = listTransfers(coordinator, openHouseOf(coordinator), {
      account: account === undefined ? null : String(account),
      after: cursorOf(request.query.after, 'after'),
    })
    sendJson(response, rows)
  })

  routes.use('/payouts', payoutRoutes(coordinator))

  return routes
}
