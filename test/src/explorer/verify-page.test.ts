import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { headerHash } from '../../../anchor/block-header.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { fetchHeaders } from '../../../src/client/fetch-headers.ts'
import { exportOts } from '../../../src/proof/ots.ts'
import { encodeProof, type Proof, parseProof } from '../../../src/proof/proof.ts'
import { verifyProof } from '../../../src/proof/verify-proof.ts'
import { idOf, worksOf } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { buildPages } from './built-pages.ts'
import { describeInChromium, launchChromium } from './chromium.ts'
import { openPage } from './open-page.ts'

describeInChromium('the verify page', () => {
  let node: RegtestNode
  let pages: Awaited<ReturnType<typeof buildPages>>
  let site: Site
  let browser: Browser
  let proof: Uint8Array
  let receipt: string
  let headers: Uint8Array
  beforeAll(async () => {
    ;[node, pages, browser] = await Promise.all([startBitcoind(), buildPages(), launchChromium()])
    site = await openSite(node, { explorer: pages.folder })
    const [worker] = await site.begin(2)
    const [work] = await worksOf(worker?.work() ?? expect.fail())
    receipt = idOf(work ?? expect.fail())
    await site.anchorAll()
    proof = new Uint8Array(await (await fetch(`${site.url}/v1/receipts/${receipt}/proof`)).arrayBuffer())
    headers = await fetchHeaders(site.coordinator().node)
  })
  afterAll(async () => {
    await browser.close()
    await site[Symbol.asyncDispose]()
    await node.stop()
    pages[Symbol.dispose]()
  })

  const headerAt = (height: number) => headers.slice(height * 80, (height + 1) * 80)
  const fileOf = (name: string, bytes: Uint8Array) => ({
    name,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(bytes),
  })
  const OUTCOMES = { true: 'passed', false: 'failed', null: 'not checked' } as const

  /** What the page says of each check, once it has said it. */
  async function outcomesOn(page: Page): Promise<string[][]> {
    await page.locator('[data-check]').first().waitFor()
    return page
      .locator('[data-check]')
      .evaluateAll((items) =>
        items.map((item) => [item.getAttribute('data-check') ?? '', item.getAttribute('data-outcome') ?? '']),
      )
  }

  test('a linked proof is fetched, and every check passes against headers of the server', async () => {
    await using opened = await openPage(browser, `${site.url}/verify#receipt=${receipt}`)
    const { page } = opened
    await page.getByRole('heading', { name: /^This receipt existed when block/ }).waitFor()
    const { checks } = await verifyProof(proof, { headerAt })
    expect(await outcomesOn(page)).toEqual(checks.map(({ name }) => [name, 'passed']))
    await page.getByText(/checked as a chain from the genesis block/).waitFor()
    await page.locator('dd', { hasText: receipt }).waitFor()
    opened.expectClean()
  })

  test('a file is checked against a file of headers without asking anybody anything', async () => {
    await using opened = await openPage(browser, `${site.url}/verify`)
    const { page } = opened
    await page.getByLabel('from a file of your own').check()
    await page.getByLabel('Whose rules the headers keep').selectOption('regtest')
    await page.getByLabel('Drop the headers here').setInputFiles(fileOf('headers.bin', headers))
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await page.getByLabel('Drop a proof here').setInputFiles(fileOf('r.assay', proof))
    await page.getByRole('heading', { name: /^This receipt existed/ }).waitFor()
    // The page's own code may come as late as it is needed; data is not asked for.
    expect(asked.filter((path) => !path.startsWith('/assets/'))).toEqual([])
    opened.expectClean()
  })

  const flip = (bytes: Uint8Array, at = 0) => bytes.with(at, (bytes[at] ?? 0) ^ 1)
  /** What is changed, and the step that must notice. */
  const ALTERED: readonly [string, string, (proof: Proof) => Partial<Proof>][] = [
    ['the receipt', 'receipt_path', ({ receipt: bytes }) => ({ receipt: flip(bytes, bytes.length - 1) })],
    [
      'the sequence of the submission',
      'submission_signature',
      (p) => ({ submission: flip(p.submission, p.submission.length - 1) }),
    ],
    ["the worker's signature", 'submission_signature', (p) => ({ signature: flip(p.signature) })],
    ['the place in the log', 'checkpoint_signature', (p) => ({ entryIndex: p.entryIndex - 1 })],
    ["the log's signature", 'checkpoint_signature', (p) => ({ logSignature: flip(p.logSignature) })],
    ['the index of the anchor', 'commitment', (p) => ({ anchorIndex: p.anchorIndex + 1 })],
    ['the internal key', 'commitment', (p) => ({ internalKey: flip(p.internalKey, 31) })],
    ['the transaction', 'commitment', (p) => ({ anchor: flip(p.anchor, p.anchor.length - 20) })],
    [
      'the position in the block',
      'branch',
      (p) => ({ branch: { ...p.branch, position: p.branch.position ^ 1 } }),
    ],
    ['the header', 'branch', (p) => ({ header: flip(p.header, 40) })],
    ['the height', 'header_chain', (p) => ({ height: p.height - 1 })],
    ['a height that is not there yet', 'header_chain', (p) => ({ height: p.height + 10_000 })],
  ]

  test.each(ALTERED)('%s altered: it fails at %s, as on the command line', async (_what, step, alter) => {
    const whole = parseProof(proof)
    const bytes = encodeProof({ ...whole, ...alter(whole) })
    const report = await verifyProof(bytes, {
      headerAt: (height) => (height < headers.length / 80 ? headerAt(height) : null),
    })
    expect(report.failed).toBe(step)
    await using opened = await openPage(browser, `${site.url}/verify`)
    await opened.page.getByLabel('Drop a proof here').setInputFiles(fileOf('r.assay', bytes))
    await opened.page.getByRole('heading', { name: /^This proof does not hold/ }).waitFor()
    expect(await outcomesOn(opened.page)).toEqual(
      report.checks.map(({ name, ok }) => [name, OUTCOMES[`${ok}`]]),
    )
    opened.expectClean()
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['a picture', new Uint8Array([0x89, 0x50, 0x4e, 0x47])],
    ['a text that would like to be markup', new TextEncoder().encode('<img src=x onerror=alert(1)>')],
  ])('%s instead of a proof fails at its format', async (_what, bytes) => {
    await using opened = await openPage(browser, `${site.url}/verify`)
    await opened.page
      .getByLabel('Drop a proof here')
      .setInputFiles(fileOf('<img src=x onerror=alert(2)>.assay', bytes))
    await opened.page.getByRole('heading', { name: /^This proof does not hold/ }).waitFor()
    expect((await outcomesOn(opened.page))[0]).toEqual(['format', 'failed'])
    opened.expectClean()
  })

  test('keys that the reader knows must be those of the proof', async () => {
    await using opened = await openPage(browser, `${site.url}/verify#receipt=${receipt}`)
    const { page } = opened
    await page.getByRole('heading', { name: /^This receipt existed/ }).waitFor()
    await page.getByLabel('Log key (C2SP verifier key)').fill(site.coordinator().books.log.verifierKey)
    await page.keyboard.press('Enter')
    await page.getByText('by the log key given').waitFor()
    await page.getByLabel('Internal key of the seals').fill('ab'.repeat(32))
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /^This proof does not hold/ }).waitFor()
    expect((await outcomesOn(page)).find(([, outcome]) => outcome === 'failed')).toEqual([
      'commitment',
      'failed',
    ])
    await page.getByLabel('Internal key of the seals').fill('not hex')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('The internal key is not 64 hex digits.').waitFor()
    opened.expectClean()
  })

  test('without headers, the last step is not made and that is said', async () => {
    await using opened = await openPage(browser, `${site.url}/verify`)
    const { page } = opened
    await page.getByLabel('none').check()
    await page.getByLabel('Drop a proof here').setInputFiles(fileOf('r.assay', proof))
    await page.getByRole('heading', { name: /^The proof is consistent in itself/ }).waitFor()
    expect((await outcomesOn(page)).at(-1)).toEqual(['header_chain', 'not checked'])
    opened.expectClean()
  })

  test('a file of headers of another chain is refused, not the proof', async () => {
    await using opened = await openPage(browser, `${site.url}/verify`)
    const { page } = opened
    await page.getByLabel('from a file of your own').check()
    await page.getByLabel('Drop the headers here').setInputFiles(fileOf('headers.bin', headers))
    await page.getByLabel('Drop a proof here').setInputFiles(fileOf('r.assay', proof))
    await page.getByText(/No headers to check against: .*is not the genesis block of mainnet/).waitFor()
    expect((await outcomesOn(page)).at(-1)).toEqual(['header_chain', 'not checked'])
    opened.expectClean()
  })

  test('an Esplora server that the reader names is asked for the header, from this page alone', async () => {
    const { height, header } = parseProof(proof)
    const asked: string[] = []
    const esplora = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.setHeader('access-control-allow-origin', '*')
      const answers: Record<string, string> = {
        [`/api/block-height/${height}`]: headerHash(header),
        [`/api/block/${headerHash(header)}/header`]: Buffer.from(header).toString('hex'),
      }
      response.end(answers[request.url ?? ''] ?? '')
    }).listen(0, '127.0.0.1')
    await once(esplora, 'listening')
    const url = `http://127.0.0.1:${(esplora.address() as AddressInfo).port}`
    await using opened = await openPage(browser, `${site.url}/verify`)
    const { page } = opened
    await page.getByLabel('from an Esplora server that you trust').check()
    await page.getByLabel('Address of its API').fill(`${url}/api`)
    await page.keyboard.press('Enter')
    await page.getByLabel('Drop a proof here').setInputFiles(fileOf('r.assay', proof))
    await page.getByRole('heading', { name: /^This receipt existed/ }).waitFor()
    expect(asked).toEqual([`/api/block-height/${height}`, `/api/block/${headerHash(header)}/header`])
    await using explorer = await openPage(browser, `${site.url}/`)
    const reached = explorer.page.evaluate((other) => fetch(other).then(() => 'reached'), `${url}/elsewhere`)
    await expect(reached).rejects.toThrow('Failed to fetch')
    expect(asked).not.toContain('/elsewhere')
    esplora.close()
  })

  test('an .ots file is checked with the file that it stamps', async () => {
    const whole = parseProof(proof)
    await using opened = await openPage(browser, `${site.url}/verify`)
    const { page } = opened
    await page.getByLabel('Drop a proof here').setInputFiles(fileOf('r.ots', exportOts(whole)))
    await page.getByRole('heading', { name: /^A file with this SHA-256 existed/ }).waitFor()
    await page.getByLabel('Drop the file that it stamps').setInputFiles(fileOf('r', whole.receipt))
    await page.getByRole('heading', { name: /^Your file existed/ }).waitFor()
    expect(await outcomesOn(page)).toEqual([
      ['format', 'passed'],
      ['file', 'passed'],
      ['block', 'passed'],
    ])
    await page.getByLabel('Drop the file that it stamps').setInputFiles(fileOf('r', flip(whole.receipt)))
    await page.getByRole('heading', { name: /It fails at: It is about your file/ }).waitFor()
    opened.expectClean()
  })

  test.each([
    ['its first hash', 34, 'block'],
    ['an operation', 80, 'block'],
    ['its version', 31, 'format'],
  ])('an .ots file with %s altered does not hold', async (_what, at, step) => {
    await using opened = await openPage(browser, `${site.url}/verify`)
    const bytes = flip(exportOts(parseProof(proof)), at)
    await opened.page.getByLabel('Drop a proof here').setInputFiles(fileOf('r.ots', bytes))
    await opened.page.getByRole('heading', { name: /^This proof does not hold/ }).waitFor()
    expect((await outcomesOn(opened.page)).find(([, outcome]) => outcome === 'failed')?.[0]).toBe(step)
    opened.expectClean()
  })
})
