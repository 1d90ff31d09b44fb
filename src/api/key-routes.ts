import { Router } from 'express'
import { z } from 'zod'
import { type ApiKey, type ApiKeys, ROLES } from '../coordinator/api-keys.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { parseCborBody, rawBody } from './cbor-body.ts'
import { parseCursor } from './cursor.ts'
import { sendJson } from './json.ts'

const role = z.enum(ROLES)
export const newKey = z.strictObject({ role, name: z.string().max(64) })

/** The cursor of a page: `<role>.<name>` of the last one before. */
export const keyCursor = z
  .string()
  .regex(/^(operator|read_only|requester)\.[a-z0-9-]{1,64}$/)
  .transform((text): ApiKey => {
    const [given, name = ''] = text.split('.')
    return { role: role.parse(given), name }
  })

/** API keys, for who holds the operator's. */
export function keyRoutes(apiKeys: ApiKeys): Router {
  const routes = Router()

  routes.get('/', (request, response) => {
    const expected = "after: expected <role>.<name> of the last page's last key"
    sendJson(response, { keys: apiKeys.list(parseCursor(keyCursor, request.query.after, expected)) })
  })

  routes.post('/', (request, response) => {
    const key = parseCborBody(newKey, rawBody(request))
    const apiKey = apiKeys.add(key, Date.now())
    response
      .status(201)
      .set('cache-control', 'no-store')
      .json({ ...key, apiKey })
  })

  routes.delete('/:role/:name', (request, response) => {
    const { success, data } = role.safeParse(request.params.role)
    if (!success) throw new RefusedError(404, 'key_unknown', `there is no role ${request.params.role}`)
    apiKeys.revoke({ role: data, name: request.params.name })
    response.status(204).end()
  })

  return routes
}
