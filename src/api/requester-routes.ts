import { type Request, Router } from 'express'
import { z } from 'zod'
import type { Books } from '../coordinator/books.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { Desks } from '../coordinator/desks.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import type { Requester } from '../coordinator/requesters.ts'
import { requesterAccount } from '../ledger/accounts.ts'
import { rawBody } from './cbor-body.ts'
import { sendJson } from './json.ts'
import { parseJsonBody } from './json-body.ts'
import { openHouseOf, workingHouseOf } from './open-house.ts'

export const account = z.strictObject({ requester: z.string().max(64), refundAddress: z.string().max(90) })

/** Below what a ledger can hold. */
export const withdrawal = z.strictObject({
  msat: z.string().regex(/^(0|[1-9]\d{0,17})$/),
})

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
    sendJson(response, holdingOf(coordinator.books, desks, ownerOf(desks, request)))
  })

  /** What it wants back, to its refund address, in the place of what it wanted before. */
  routes.post('/requesters/:name/withdrawals', (request, response) => {
    const { desks } = workingHouseOf(coordinator)
    const owner = ownerOf(desks, request)
    const { msat } = parseJsonBody(withdrawal, rawBody(request))
    desks.withdrawals.ask(owner.requester, BigInt(msat), desks.requests.heldMsat(owner.requester))
    void coordinator.kick()
    response.status(202)
    sendJson(response, holdingOf(coordinator.books, desks, owner))
  })

  function ownerOf({ requesters }: Desks, { headers, params }: Request<{ name: string }>): Requester {
    const found = requesters.authenticate(headers.authorization)
    // Whether somebody else has an account is nobody's business.
    if (found?.requester !== params.name) {
      throw new RefusedError(401, 'api_key_unknown', "this needs the account's own API key")
    }
    return found
  }

  return routes
}

/** What is left in an account, and what of it is promised. */
export function holdingOf({ ledger }: Books, { charges, requests, withdrawals }: Desks, owner: Requester) {
  const { postedMsat, pendingMsat } = ledger.balance(requesterAccount(owner.requester))
  const heldMsat = requests.heldMsat(owner.requester)
  return {
    ...owner,
    balanceMsat: postedMsat,
    reservedMsat: pendingMsat + heldMsat,
    withdrawingMsat: withdrawals.waitingMsat(owner.requester),
    availableMsat: charges.availableMsat(owner.requester) - heldMsat,
  }
}
