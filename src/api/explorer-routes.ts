import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import compression from 'compression'
import express, { type Response, Router } from 'express'

/**
 * What the pages may load and do. They run no script but their own files, no inline style or script, and stand in
 * nobody's frame. `connect` is what they may ask.
 */
function contentSecurityPolicy(connect: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** The verify page alone may ask any address: the Esplora server that its reader names. It holds nothing secret. */
const PAGES = {
  '/': { file: 'index.html', csp: contentSecurityPolicy("'self'") },
  '/verify': { file: 'verify.html', csp: contentSecurityPolicy("'self' https: http:") },
} as const

/** Where the build puts the pages, seen from the sources and from the built package; null where they aren't built. */
export function builtExplorer(): string | null {
  const folders = ['../../dist/explorer/', '../../explorer/'].map((path) => {
    return fileURLToPath(new URL(path, import.meta.url))
  })
  return folders.find((folder) => existsSync(join(folder, 'index.html'))) ?? null
}

/** The explorer's pages and their files, whose names change with their contents. */
export function explorerRoutes(folder: string | null): Router {
  const routes = Router()
  for (const [path, { file, csp }] of Object.entries(PAGES)) {
    routes.get(path, compression(), (_request, response) => {
      secure(response).set('content-security-policy', csp)
      if (folder === null) {
        response
          .status(503)
          .type('text/plain')
          .send(
            'The explorer is not built here: run `npm run build:explorer` and start again. The API is at /v1/status.\n',
          )
      } else {
        response.set('cache-control', 'no-cache').sendFile(file, { root: folder, cacheControl: false })
      }
    })
  }
  if (folder !== null) {
    routes.use(
      '/assets',
      compression(),
      express.static(join(folder, 'assets'), {
        immutable: true,
        maxAge: '1y',
        index: false,
        redirect: false,
        setHeaders: (response) => void secure(response),
      }),
    )
  }
  return routes
}

function secure(response: Response): Response {
  return response.set({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  })
}
