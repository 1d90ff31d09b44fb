import { Router } from 'express'
import { z } from 'zod'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { requesterAccount } from '../ledger/accounts.ts'
import { rawBody } from './cbor-body.ts'
import { sendJson } from './json.ts'
import { openHouseOf, workingHouseOf } from './open-house.ts'

export const account = z.strictObject({ requester: z.string().max(64), refundAddress: z.string().max(90) })

/** What requesters call beside the inference protocol: an account, and what is left in it. */
export function requesterRoutes(coordinator: Coordinator): Router {
  const routes = Router()

  routes.post('/requesters', (request, response) => {
    const { desks } = workingHouseOf(coordinator)
    const { requester, refundAddress } = parseJsonBody(account, rawBody(request))
    const { opened, apiKey } = desks.requesters.open(requester, refundAddress)
    response.status(201)
    sendJson(response, { ...opened, apiKey })
  })

  routes.get('/requesters/:name', (request, response) => {
    const { desks } = openHouseOf(coordinator)
    const found = desks.requesters.authenticate(request.headers.authorization)
    // Whether somebody else has an account is nobody's business.
    if (found?.requester !== request.params.name) {
      throw new RefusedError(401, 'api_key_unknown', "this needs the account's own API key")
    }
    const { postedMsat, pendingMsat, availableMsat } = coordinator.books.ledger.balance(
      requesterAccount(found.requester),
    )
    const heldMsat = desks.requests.heldMsat(found.requester)
    sendJson(response, {
      ...found,
      balanceMsat: postedMsat,
      reservedMsat: pendingMsat + heldMsat,
      availableMsat: availableMsat - heldMsat,
    })
  })

  return routes
}

function parseJsonBody<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  const result = schema.safeParse(jsonOf(body))
  if (!result.success) throw new RefusedError(400, 'body_malformed', z.prettifyError(result.error))
  return result.data
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch (cause) {
    throw new RefusedError(400, 'body_malformed', 'the body is no JSON', { cause })
  }
}
