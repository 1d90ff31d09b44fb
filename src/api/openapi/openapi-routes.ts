import { Router } from 'express'
import { ownPackage } from '../../own-package.ts'
import { sendKept, toJson } from '../json.ts'
import { tagged } from '../send-tagged.ts'
import { openapiDocument } from './document.ts'

/** GET /openapi.json: the whole surface, of the schemas that requests are checked by. */
export function openapiRoutes(): Router {
  const document = tagged(toJson(openapiDocument(ownPackage().version)))
  return Router().get('/openapi.json', (_request, response) => sendKept(response, document))
}
