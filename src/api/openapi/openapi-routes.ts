import { Router } from 'express'
import { ownPackage } from '../../own-package.ts'
import { sendJson } from '../json.ts'
import { openapiDocument } from './document.ts'

/** GET /openapi.json: the whole surface, of the schemas that requests are checked by. */
export function openapiRoutes(): Router {
  const document = openapiDocument(ownPackage().version)
  return Router().get('/openapi.json', (_request, response) => sendJson(response, document))
}
