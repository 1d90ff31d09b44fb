import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { explorerRoutes } from '../../../src/api/explorer-routes.ts'
import { listen } from '../../../src/api/listen.ts'

async function serve(folder: string | null) {
  const listening = await listen(express().use(explorerRoutes(folder)), { host: '127.0.0.1', port: 0 })
  onTestFinished(() => listening[Symbol.asyncDispose]())
  return (path: string) => fetch(`${listening.url}${path}`)
}

function builtFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-explorer-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html>overview')
  writeFileSync(join(folder, 'verify.html'), '<!doctype html>verify')
  writeFileSync(join(folder, 'assets', 'index-1234.js'), `export default ${'1 + '.repeat(1000)}1`)
  return folder
}

test('pages are asked for anew each time, their files never again', async () => {
  const ask = await serve(builtFolder())
  const page = await ask('/')
  expect([page.status, await page.text()]).toEqual([200, '<!doctype html>overview'])
  expect(page.headers.get('cache-control')).toBe('no-cache')
  const file = await ask('/assets/index-1234.js')
  expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(file.headers.get('content-encoding')).toBe('gzip')
})

test('pages run nothing but their own files, ask nobody else, and stand in nobody’s frame', async () => {
  const ask = await serve(builtFolder())
  const policy = (await ask('/')).headers.get('content-security-policy')?.split('; ')
  expect(policy).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
    ]),
  )
  expect((await ask('/assets/index-1234.js')).headers.get('x-content-type-options')).toBe('nosniff')
})

test('the verify page alone may ask another address, which its reader gives', async () => {
  const ask = await serve(builtFolder())
  const policy = (await ask('/verify')).headers.get('content-security-policy') ?? ''
  expect(policy).toContain("connect-src 'self' https: http:")
  expect(policy).toContain("script-src 'self'")
})

test.each(['/assets/', '/assets/none.js', '/assets/%2e%2e/index.html', '/assets/..%2findex.html'])(
  '%s is not there',
  async (path) => {
    const ask = await serve(builtFolder())
    expect((await ask(path)).status).toBeGreaterThanOrEqual(400)
  },
)

test('where the pages are not built, that is said with what to do', async () => {
  const ask = await serve(null)
  const answer = await ask('/')
  expect(answer.status).toBe(503)
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(await answer.text()).toContain('npm run build:explorer')
})
