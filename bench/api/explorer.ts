/** The explorer as a browser meets it: what it loads first, and how long a proof takes to check in it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import express from 'express'
import { explorerRoutes } from '../../src/api/explorer-routes.ts'
import { listen } from '../../src/api/listen.ts'
import { encodeProof } from '../../src/proof/proof.ts'
import { verifyProof } from '../../src/proof/verify-proof.ts'
import { buildPages } from '../../test/src/explorer/built-pages.ts'
import { launchChromium } from '../../test/src/explorer/chromium.ts'
import { makeProof } from '../../test/src/proof/synthetic-proof.ts'
import { median, medianSeconds } from '../measure.ts'
import { type Row, rowOf } from '../row.ts'
import { MILLION } from '../synthetic-million.ts'

const FIRST_LOAD_BYTES = 200_000
const CHECK_MS = 200
/** Odd; each in a page of its own, so that none runs on what the one before has warmed. */
const CHECKS = 5

export async function* explorer(): AsyncGenerator<Row> {
  using pages = await buildPages()
  yield rowOf({
    name: 'first load of the explorer: page, scripts and styles, gzip',
    value: firstLoadBytes(pages.folder),
    unit: 'bytes',
    bar: { on: 'value', is: '≤', bound: FIRST_LOAD_BYTES },
  })
  yield* proofChecked(pages.folder)
}

/** What index.html names, and what those files import at once: all that stands between a reader and the first page. */
function firstLoadBytes(folder: string): number {
  const wanted = ['index.html']
  for (const file of wanted) {
    const text = readFileSync(join(folder, file), 'utf8')
    const named = file.endsWith('.html')
      ? [...text.matchAll(/"[^"]*\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, path = '']) => path)
      : [...text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)].map(([, path = '']) => `assets/${path}`)
    wanted.push(...named.filter((path) => !wanted.includes(path)))
  }
  assert(
    wanted.length > 2 && wanted.length <= readdirSync(join(folder, 'assets')).length,
    'the page has files',
  )
  return wanted.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0)
}

async function* proofChecked(folder: string): AsyncGenerator<Row> {
  const { proof, headers } = makeProof({ ...MILLION, method: 'dual' })
  const bytes = encodeProof(proof)
  const headerAt = (height: number) => headers.slice(height * 80, (height + 1) * 80)
  assert((await verifyProof(bytes, { headerAt })).existed)
  await using listening = await listen(express().use(explorerRoutes(folder)), { host: '127.0.0.1', port: 0 })
  const browser = await launchChromium()
  try {
    const tookMs: number[] = []
    while (tookMs.length < CHECKS) {
      const page = await browser.newPage()
      await page.goto(`${listening.url}/verify`)
      await page.getByLabel('from a file of your own').check()
      await page.getByLabel('Whose rules the headers keep').selectOption('regtest')
      const file = (name: string, content: Uint8Array) => ({
        name,
        mimeType: '',
        buffer: Buffer.from(content),
      })
      await page.getByLabel('Drop the headers here').setInputFiles(file('headers.bin', headers))
      await page.getByLabel('Drop a proof here').setInputFiles(file('r.assay', bytes))
      await page.getByRole('heading', { name: /^This receipt existed/ }).waitFor()
      assert.equal(await page.locator('[data-outcome=passed]').count(), 12)
      tookMs.push(Number(await page.locator('[data-took-ms]').getAttribute('data-took-ms')))
      await page.close()
    }
    yield rowOf({
      name: 'a proof of one receipt in a million checked in Chromium, first of its page, beside Node',
      value: median(tookMs),
      unit: 'ms',
      baseline: (await medianSeconds(() => verifyProof(bytes, { headerAt }))) * 1000,
      bar: { on: 'value', is: '≤', bound: CHECK_MS },
    })
  } finally {
    await browser.close()
  }
}
