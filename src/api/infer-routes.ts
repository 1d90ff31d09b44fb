import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import express, { Router } from 'express'
import { encodeTensorBundle, MAX_BUNDLE_BYTES, parseTensorBundle } from '../../compute/work/tensor-bundle.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { ANONYMOUS } from '../log/entry.ts'
import { modelConfig, modelMetadata } from '../oip/describe-model.ts'
import { encodeInferResponse } from '../oip/encode-infer-response.ts'
import { type ModelStatistics, type RunningRequest, statisticsJson } from '../oip/model-statistics.ts'
import { OipError } from '../oip/oip-error.ts'
import { parseInferRequest } from '../oip/parse-infer-request.ts'
import { HEADER_LENGTH } from '../oip/split-body.ts'
import { ownPackage } from '../own-package.ts'
import { openCanaryRequests } from './ask-canaries.ts'
import { MAX_BODY_BYTES, rawBody } from './cbor-body.ts'
import { openHeldBytes } from './held-bytes.ts'
import { packJson } from './pack-answer.ts'
import { problemOf } from './problem.ts'
import { repositoryRoutes } from './repository-routes.ts'
import type { ServedModel, ServingHouse } from './served-models.ts'
import { openServedModels } from './served-models.ts'

const DEFAULT_TIMEOUT_MS = 30_000
/** Proxies on the way rarely hold a silent connection for longer. */
const MAX_TIMEOUT_MS = 5 * 60_000
/** What a worker is leased is its input with job, salt and frame: in one body, as what it answers is. */
const MAX_INPUT_BYTES = MAX_BUNDLE_BYTES - 64 * 1024

interface InferParts {
  readonly budget: RequestHandler
  /** Lets nobody else through. */
  readonly asOperator: RequestHandler
  readonly statistics: ModelStatistics
  readonly onBug: (error: unknown) => void
}

/** Of Triton's, which name them so. */
const EXTENSIONS = [
  'binary_tensor_data',
  'model_configuration',
  'model_repository',
  'schedule_policy',
  'statistics',
]

/** The Open Inference Protocol v2 with Triton's extensions: the door that requests come in by (DESIGN §9). */
export function inferRoutes(
  coordinator: ServingHouse,
  { budget, asOperator, statistics, onBug }: InferParts,
): Router {
  const routes = Router()
  const models = openServedModels(coordinator)
  const holding = openHeldBytes()
  const askBeside = openCanaryRequests(models, { statistics, holding, onBug })
  const { name, version } = ownPackage()

  routes.get('/', (_request, response) => {
    response.json({ name, version, extensions: EXTENSIONS })
  })

  routes.get('/health/live', (_request, response) => void response.json({ live: true }))

  routes.get('/health/ready', (_request, response) => {
    models.desks()
    response.json({ ready: true })
  })

  routes.use('/repository', repositoryRoutes(models, asOperator))

  routes.get('/models/stats', (_request, response) => {
    response.json({ model_stats: models.index().map(statisticsOf) })
  })

  routes.get(pathsOf('/stats'), (request, response) => {
    const { model, version } = modelOf(request)
    response.json({ model_stats: [statisticsOf({ name: model.name, version })] })
  })

  routes.get(pathsOf(''), (request, response) => {
    const { model, version, signature } = modelOf(request)
    response.json(modelMetadata({ name: model.name, version, signature }))
  })

  routes.get(pathsOf('/config'), (request, response) => {
    const { model, signature } = modelOf(request)
    response.json(modelConfig({ name: model.name, signature }))
  })

  routes.get(pathsOf('/ready'), (request, response) => {
    const { model } = modelOf(request)
    models.desks()
    response.json({ name: model.name, ready: true })
  })

  routes.post(
    pathsOf('/infer'),
    // Nobody sends 64 MiB to learn that there is no such model, or that nothing can be paid for.
    (request, _response, next) => {
      models.desks()
      const { subnet, model } = modelOf(request)
      admit(request, subnet.name, BigInt(model.unitsPerItem))
      next()
    },
    budget,
    express.raw({ type: () => true, limit: MAX_BODY_BYTES }),
    async (request, response) => {
      const served = modelOf(request)
      const running = statistics.begin(served.model.name, served.version)
      try {
        const { items, headers, body } = await infer(request, response, served, running)
        response.set(headers).send(body)
        running.succeeded(items)
      } catch (error) {
        running.failed(error)
        throw error
      }
    },
  )

  routes.use((request) => {
    throw new RefusedError(404, 'not_found', `nothing is at ${request.method} ${request.originalUrl}`)
  })
  routes.use(oipProblemHandler(onBug))
  return routes

  async function infer(request: Request, response: Response, served: ServedModel, running: RunningRequest) {
    const { subnet, model, version, signature } = served
    const { id, inputs, outputs, items, timeoutMicroseconds, ...asked } = parseInferRequest(
      request.headers,
      rawBody(request),
      signature,
    )
    const bundle = encodeTensorBundle(inputs)
    if (bundle.length > MAX_INPUT_BYTES) {
      throw new OipError(
        'tensor_too_large',
        `inputs of ${bundle.length} bytes; at most ${MAX_INPUT_BYTES} fit`,
      )
    }
    // Whoever has left wants no answer: what no worker has begun yet is not begun.
    const left = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) left.abort()
    })
    running.asked()
    const manner = { timeoutMs: timeoutMs(timeoutMicroseconds), priority: priorityLevel(asked.priority) }
    let isLeased = false
    const answer = await holding(bundle.length, () =>
      models.desks().requests.ask(
        {
          subnet,
          model,
          inputs: bundle,
          items,
          ...admit(request, subnet.name, BigInt(items) * BigInt(model.unitsPerItem)),
          deadlineMs: Date.now() + manner.timeoutMs,
          priority: manner.priority,
          onTaken() {
            running.taken()
            // Once, and not before: who can't pay, or leaves at once, would know the next job for a canary.
            if (!isLeased) askBeside(served, manner)
            isLeased = true
          },
        },
        left.signal,
      ),
    )
    running.answered()
    const receiptId = Buffer.from(answer.receiptId).toString('hex')
    // Before the encoding, which may fail: the work is done and has its receipt all the same.
    response.set({
      'assay-receipt-id': receiptId,
      link: `</v1/receipts/${receiptId}/proof>; rel="describedby"`,
    })
    const { headers, body } = encodeInferResponse({
      id,
      modelName: model.name,
      modelVersion: version,
      signature: signature.outputs,
      tensors: parseTensorBundle(answer.outputs),
      requested: outputs,
      receiptId,
      opening: answer,
    })
    // Binary tensors hardly shrink.
    const packed = HEADER_LENGTH in headers ? { headers: {}, body } : await packJson(request, body)
    return { items, headers: { ...headers, ...packed.headers }, body: packed.body }
  }

  function statisticsOf({ name, version }: { name: string; version: string }) {
    return statisticsJson(statistics.of(name, version))
  }

  function modelOf(request: Request): ServedModel {
    const { name, version } = request.params
    return models.find(String(name), version === undefined ? null : String(version))
  }

  /** Who asks, and what it costs: covered by what is deposited and neither spent nor promised (PROTOCOL §6). */
  function admit(request: Request, subnet: string, units: bigint): { requester: string; quoteMsat: bigint } {
    const { charges, requesters, requests, epoch } = models.desks()
    const requester = requesters.authenticate(request.headers.authorization)?.requester ?? ANONYMOUS
    const quoteMsat = charges.quoteMsat(subnet, units, epoch)
    charges.assertCover(requester, quoteMsat, requests.heldMsat(requester))
    return { requester, quoteMsat }
  }
}

function pathsOf(tail: string): string[] {
  return [`/models/:name${tail}`, `/models/:name/versions/:version${tail}`]
}

/** As in Triton's schedule policy extension, 0 is as good as none. */
function timeoutMs(microseconds: number | null): number {
  if (microseconds === null || microseconds === 0) return DEFAULT_TIMEOUT_MS
  return Math.min(Math.ceil(microseconds / 1_000), MAX_TIMEOUT_MS)
}

/** Whoever does not ask stands between those who want to be first and those who can wait. */
const DEFAULT_PRIORITY = 2

/** As in Triton's schedule policy extension: 0 is as good as none, and a smaller number goes first. */
function priorityLevel(priority: number | null): number {
  return priority === null || priority === 0 ? DEFAULT_PRIORITY : priority
}

/** OIP's error object, with our stable code beside the text. */
export function oipProblemHandler(onBug: (error: unknown) => void): ErrorRequestHandler {
  return (error, _request, response, next) => {
    const { status, code, detail, extensions } =
      error instanceof OipError
        ? { status: error.status, code: error.code, detail: error.message, extensions: {} }
        : problemOf(error)
    if (status === 500) onBug(error)
    if (response.headersSent) next(error)
    else response.status(status).json({ error: detail, code, ...extensions })
  }
}
