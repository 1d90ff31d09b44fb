import express, { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { OipError } from '../oip/oip-error.ts'
import { rawBody } from './cbor-body.ts'
import { MAX_JSON_BYTES, parseJsonBody } from './json-body.ts'
import type { ServedModels } from './served-models.ts'

export const indexRequest = z.object({ ready: z.boolean().optional() })
export const loadRequest = z.object({ parameters: z.record(z.string(), z.unknown()).optional() })

/**
 * Triton's model repository extension. Models come and go by the log's subnet definitions; loading and unloading says
 * whether this coordinator takes requests for one, until it starts anew.
 */
export function repositoryRoutes(models: ServedModels, asOperator: RequestHandler): Router {
  const routes = Router()
  const body = express.raw({ type: () => true, limit: MAX_JSON_BYTES })

  routes.post('/index', body, (request, response) => {
    const { ready = false } = parse(indexRequest, request)
    response.json(models.index().filter(({ state }) => !ready || state === 'READY'))
  })

  routes.post('/models/:name/load', asOperator, body, (request, response) => {
    const { parameters = {} } = parse(loadRequest, request)
    if (Object.keys(parameters).length > 0) {
      throw new OipError('parameter_unsupported', 'a model is loaded as its subnet defines it')
    }
    models.load(nameIn(request))
    response.status(200).end()
  })

  routes.post('/models/:name/unload', asOperator, (request, response) => {
    models.unload(nameIn(request))
    response.status(200).end()
  })

  return routes
}

function nameIn({ params }: Request): string {
  return String(params.name)
}

/** Without a body: nothing is said. */
function parse<T>(schema: z.ZodType<T>, request: Request): T {
  const body = rawBody(request)
  return parseJsonBody(schema, body.length === 0 ? Buffer.from('{}') : body, 'request_malformed')
}
