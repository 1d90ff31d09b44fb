import { Router } from 'express'
import { z } from 'zod'
import { MAX_SIGNATURE_BYTES } from '../../anchor/signed-message.ts'
import { anyBytes, bytes32, bytesOf, integer } from '../../compute/work/record.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { epochOfJobs } from '../coordinator/epoch-now.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { anchoredView } from '../rules/anchored.ts'
import { isPending, payToAt } from '../rules/pay-to.ts'
import { createAuthenticator } from './authenticate.ts'
import { parseCborBody, rawBody, sendCbor } from './cbor-body.ts'
import { sendJson } from './json.ts'
import { createOnePoll } from './one-poll.ts'
import { openHouseOf, tipOf, workingHouseOf } from './open-house.ts'
import { untilSome } from './until-some.ts'

/** One request carries at most so many results, failures, commitments or reveals. */
const MAX_BATCH = 256
const MAX_WAIT_MS = 30_000
const MAX_REASON_LENGTH = 500

const thresholdSats = z
  .union([z.bigint(), z.int()])
  .transform(BigInt)
  .refine((sats) => sats >= 0n && sats < 2n ** 63n)
export const registration = z.strictObject({
  address: z.string().max(90),
  signature: bytesOf(64),
  thresholdSats,
  worker: bytes32,
})
export const addressChange = z.strictObject({
  address: z.string().max(90),
  expiryHeight: integer,
  replaces: integer,
  signature: anyBytes.refine(({ length }) => length <= MAX_SIGNATURE_BYTES),
  thresholdSats,
})
export const leaseRequest = z.strictObject({
  max: integer.min(1).max(MAX_BATCH),
  waitMs: integer.max(MAX_WAIT_MS),
})
export const results = z.strictObject({
  results: z.array(z.strictObject({ outputs: anyBytes, receipt: anyBytes, salt: bytes32 })).max(MAX_BATCH),
})
export const failures = z.strictObject({
  failures: z
    .array(z.strictObject({ job: bytes32, reason: z.string().max(MAX_REASON_LENGTH) }))
    .max(MAX_BATCH),
})
export const submission = z.strictObject({
  header: anyBytes,
  receipts: z.array(anyBytes).max(65_536),
  signature: bytesOf(64),
})
const round = integer.max(2)
export const commitments = z.strictObject({
  commitments: z
    .array(z.strictObject({ commitment: bytes32, receipt: bytes32, round }))
    .min(1)
    .max(MAX_BATCH),
  signature: bytesOf(64),
})
export const reveals = z.strictObject({
  reveals: z
    .array(z.strictObject({ outputs: anyBytes.nullable(), receipt: bytes32, round, salt: bytes32 }))
    .min(1)
    .max(MAX_BATCH),
})

/** What workers and auditors call. Every POST is signed by the key that it speaks for. */
export function workerRoutes(coordinator: Coordinator): Router {
  const routes = Router()
  const authenticator = createAuthenticator(() => openHouseOf(coordinator).genesis.origin)
  const leasePolls = createOnePoll()
  const auditPolls = createOnePoll()

  /** A registered key's checked body; `register` alone takes keys that aren't known yet. */
  function signed<T>(request: Parameters<typeof rawBody>[0], schema: z.ZodType<T>) {
    const house = workingHouseOf(coordinator)
    const body = rawBody(request)
    const key = authenticator.authenticate(request, body)
    if (house.desks.registry.find(key) === null) {
      throw new RefusedError(404, 'worker_unknown', 'this key is not registered')
    }
    house.desks.standings.assertMayWork(key)
    return { ...house.desks, key, body: parseCborBody(schema, body), genesis: house.genesis }
  }

  routes.post('/workers', (request, response) => {
    const { desks } = workingHouseOf(coordinator)
    const body = rawBody(request)
    const key = authenticator.authenticate(request, body)
    const registered = parseCborBody(registration, body)
    if (Buffer.compare(key, registered.worker) !== 0) {
      throw new RefusedError(403, 'worker_mismatch', 'the registration is of another key than the request')
    }
    const { index, created } = desks.registry.register(registered)
    response.status(created ? 201 : 200).json({ index })
  })

  /** Where the key is paid from now on, by the word of the address so far. */
  routes.post('/workers/address', (request, response) => {
    const { registry, key, body, genesis } = signed(request, addressChange)
    const { anchorer } = openHouseOf(coordinator)
    const anchored = anchoredView(anchorer.places())
    const { finalDepth } = genesis.epoch
    const index = registry.changeAddress({ ...body, worker: key }, tipOf(coordinator), {
      anchored,
      finalDepth,
    })
    response.status(201).json({ index })
  })

  routes.get('/workers/:key', (request, response) => {
    const { desks, anchorer, genesis } = openHouseOf(coordinator)
    const worker = /^[0-9a-f]{64}$/.test(request.params.key)
      ? desks.registry.find(Buffer.from(request.params.key, 'hex'))
      : null
    if (worker === null) throw new RefusedError(404, 'worker_unknown', 'this key is not registered')
    const { key, nextSequence, previous } = worker
    const declarations = desks.registry.declarations(key)
    const view = { anchored: anchoredView(anchorer.places()), finalDepth: genesis.epoch.finalDepth }
    const height = coordinator.advancedTo() ?? 0
    const payTo = payToAt(declarations, height, view)
    const newest = declarations.at(-1)
    sendJson(response, {
      worker: key,
      address: payTo?.address,
      thresholdSats: payTo?.thresholdSats,
      addressEntry: payTo?.entry,
      pendingEntry: newest !== undefined && isPending(newest, height, view) ? newest.entry : null,
      nextSequence,
      previous,
      standing: desks.standings.of(key, view.anchored),
    })
  })

  routes.post('/leases', async (request, response) => {
    const { bell, leases, standings, key, body, genesis } = signed(request, leaseRequest)
    const take = () => {
      // The log may have come to stand still while the poll was asleep.
      workingHouseOf(coordinator)
      standings.assertMayWork(key)
      const epoch = epochOfJobs(coordinator, genesis)
      return epoch === null ? [] : leases.lease(key, body.max, epoch)
    }
    const jobs = await leasePolls.run(key, (superseded) =>
      untilSome(bell, response, body.waitMs, take, superseded),
    )
    const epoch = epochOfJobs(coordinator, genesis)
    const reason = jobs.length > 0 || epoch === null ? null : leases.refusal(key, epoch)
    sendCbor(response, { jobs, reason })
  })

  routes.post('/results', async (request, response) => {
    const { results: desk, key, body } = signed(request, results)
    response.json(await desk.accept(key, body.results))
  })

  routes.post('/failures', (request, response) => {
    const { leases, key, body } = signed(request, failures)
    response.json({ released: leases.fail(key, body.failures) })
  })

  routes.post('/submissions', (request, response) => {
    const { submissions, key, body } = signed(request, submission)
    sendCbor(response, submissions.accept(key, body))
  })

  routes.post('/audits/leases', async (request, response) => {
    const { auditBell, audits, standings, key, body } = signed(request, leaseRequest)
    const take = () => {
      workingHouseOf(coordinator)
      standings.assertMayWork(key)
      return audits.lease(key, body.max)
    }
    const leased = await auditPolls.run(key, (superseded) =>
      untilSome(auditBell, response, body.waitMs, take, superseded),
    )
    sendCbor(response, { audits: leased })
  })

  routes.post('/audits/commitments', (request, response) => {
    const { audits, key, body } = signed(request, commitments)
    response.json({ index: audits.commit(key, body.commitments, body.signature) })
  })

  routes.post('/audits/reveals', (request, response) => {
    const { audits, key, body } = signed(request, reveals)
    const verdicts = audits.reveal(key, body.reveals)
    response.json({
      verdicts: verdicts.map(({ receipt, verdict }) => ({
        receipt: Buffer.from(receipt).toString('hex'),
        verdict,
      })),
    })
  })

  return routes
}
