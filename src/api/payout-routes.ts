import { Router } from 'express'
import { z } from 'zod'
import { MAX_PSBT_BYTES } from '../../anchor/psbt.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { payoutAccount } from '../ledger/accounts.ts'
import { MAX_REASON_LENGTH } from '../log/entry.ts'
import { anchoredView } from '../rules/anchored.ts'
import { parseCborBody, rawBody } from './cbor-body.ts'
import { sendJson } from './json.ts'
import { assertWorking, openHouseOf, tipOf, workingHouseOf } from './open-house.ts'

export const stop = z.strictObject({ reason: z.string().min(1).max(MAX_REASON_LENGTH) })

/** Payouts, for who holds the operator's token. */
export function payoutRoutes(coordinator: Coordinator): Router {
  const routes = Router()

  /** What the next payout would be; keeps nothing. */
  routes.get('/plan', async (_request, response) => {
    const { desks, anchorer, payer } = openHouseOf(coordinator)
    const preview = await desks.payouts.preview(anchoredView(anchorer.places()), tipOf(coordinator))
    sendJson(response, { ...preview, stopped: payer.stopped() })
  })

  /** A round now, as a new block would bring one. */
  routes.post('/run', async (_request, response) => {
    const { desks } = workingHouseOf(coordinator)
    await coordinator.kick()
    sendJson(response, { payouts: desks.payouts.list(), trouble: desks.payouts.trouble() })
  })

  routes.post('/stop', (request, response) => {
    const { payer } = openHouseOf(coordinator)
    payer.stop(parseCborBody(stop, rawBody(request)).reason, Date.now())
    sendJson(response, { stopped: payer.stopped() })
  })

  routes.post('/resume', (_request, response) => {
    const { payer } = openHouseOf(coordinator)
    payer.resume()
    void coordinator.kick()
    sendJson(response, { stopped: payer.stopped() })
  })

  /** Gives up a payout that can't be made any more. */
  routes.post('/:number/void', async (request, response) => {
    const { desks, anchorer } = workingHouseOf(coordinator)
    const voided = await desks.payouts.voidOpen(numberOf(request.params.number), () =>
      assertWorking(anchorer),
    )
    void coordinator.kick()
    sendJson(response, voided)
  })

  /** What waits for an external signature (BIP-174). */
  routes.get('/:number/psbt', (request, response) => {
    const psbt = openHouseOf(coordinator).payer.unsignedPsbt(idOf(request.params.number))
    if (psbt === null)
      throw new RefusedError(404, 'nothing_to_sign', 'nothing of this payout waits for a signature')
    response.type('application/octet-stream').send(Buffer.from(psbt))
  })

  routes.post('/:number/psbt', async (request, response) => {
    const body = rawBody(request)
    if (body.length > MAX_PSBT_BYTES) {
      throw new RefusedError(413, 'body_too_large', `a PSBT has at most ${MAX_PSBT_BYTES} bytes`)
    }
    const txid = await workingHouseOf(coordinator).payer.importPsbt(idOf(request.params.number), body)
    void coordinator.kick()
    sendJson(response, { txid })
  })

  return routes
}

function numberOf(text: string): number {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) throw new RefusedError(404, 'payout_unknown', `no payout ${text}`)
  return Number(text)
}

function idOf(text: string): string {
  return payoutAccount(numberOf(text))
}
