import { createRequire } from 'node:module'
import { Router } from 'express'
import { z } from 'zod'
import { sendJson } from '../json.ts'
import { openapiDocument } from './document.ts'

/** GET /openapi.json: the whole surface, of the schemas that requests are checked by. */
export function openapiRoutes(): Router {
  // By its own name, since sources and built files stand at different depths below it.
  const { version } = z
    .object({ version: z.string() })
    .parse(createRequire(import.meta.url)('assay/package.json'))
  const document = openapiDocument(version)
  return Router().get('/openapi.json', (_request, response) => sendJson(response, document))
}
