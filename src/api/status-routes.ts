import { type Request, type Response, Router } from 'express'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { proofOf } from '../coordinator/proof-of.ts'
import { reconcile } from '../coordinator/reconcile.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { statusOf } from '../coordinator/status.ts'
import { exportOts } from '../proof/ots.ts'
import { parseProof } from '../proof/proof.ts'
import { sendJson, sendKept, toJson } from './json.ts'
import type { KeptAnswers } from './kept-answers.ts'
import { openHouseOf } from './open-house.ts'
import { sendTagged } from './send-tagged.ts'

/** What anybody may read: state, subnets, proofs, reconciliation, health. */
export function statusRoutes(coordinator: Coordinator, answers: KeptAnswers): Router {
  const routes = Router()

  routes.get('/healthz', (_request, response) => void response.json({ ok: true }))

  routes.get('/readyz', (_request, response) => {
    const ready = coordinator.house() !== null && coordinator.lastError() === null
    response.status(ready ? 200 : 503)
    response.json({
      ready,
      error: coordinator.lastError()?.message ?? null,
      height: coordinator.advancedTo(),
    })
  })

  routes.get('/v1/status', (_request, response) => sendJson(response, statusOf(coordinator)))

  routes.get('/v1/info', (request, response) => {
    const { genesis, desks } = openHouseOf(coordinator)
    const answer = answers(request, () =>
      toJson({
        origin: genesis.origin,
        network: genesis.network,
        method: genesis.method,
        logKey: coordinator.books.log.verifierKey,
        subnets: desks.market.everyModel().map(({ subnet, models }) => ({
          name: subnet,
          models: models.map(({ digest, name: model, bytes, profile }) => ({
            digest,
            name: model,
            bytes,
            profile,
          })),
        })),
      }),
    )
    sendKept(response, answer)
  })

  routes.get('/v1/auditors', (_request, response) => {
    sendJson(response, { auditors: openHouseOf(coordinator).desks.auditors.list() })
  })

  routes.get('/v1/receipts/:id/proof', (request, response) => {
    sendFile(request, response, 'assay', (proof) => proof)
  })

  /** The same as OpenTimestamps has it, which says when, not who. */
  routes.get('/v1/receipts/:id/ots', (request, response) => {
    sendFile(request, response, 'ots', (proof) => exportOts(parseProof(proof)))
  })

  function sendFile(
    request: Request<{ id: string }>,
    response: Response,
    suffix: string,
    made: (proof: Uint8Array) => Uint8Array,
  ): void {
    const { id } = request.params
    if (!/^[0-9a-f]{64}$/.test(id)) {
      throw new RefusedError(400, 'receipt_id_malformed', 'a receipt id is 64 lower-case hex digits')
    }
    const house = openHouseOf(coordinator)
    const answer = answers(request, () =>
      Buffer.from(made(proofOf(coordinator, house, Buffer.from(id, 'hex')))),
    )
    response.set('content-disposition', `attachment; filename="${id}.${suffix}"`)
    sendTagged(response, 'application/octet-stream', answer)
  }

  routes.get('/v1/reconciliation', async (_request, response) => {
    sendJson(response, await reconcile(coordinator, openHouseOf(coordinator)))
  })

  return routes
}
