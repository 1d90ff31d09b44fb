import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import type { Peer } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { TINY_MODEL, tinyMarket, tinyOutput } from '../coordinator/tiny-market.ts'
import { buildPages } from './built-pages.ts'
import { describeInChromium, launchChromium } from './chromium.ts'
import { openPage } from './open-page.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = { viewport: { width: 360, height: 740 } }

/** In every text that somebody else chooses: run as markup or script, each opens a dialog. */
const HOSTILE_ORIGIN = `evil.example/"'><img/src=x/onerror=alert(1)>`
const HOSTILE = `</td><script>alert(2)</script><img src=x onerror=alert(3)>" onfocus=alert(4) autofocus x="`
const HOSTILE_SHORT = `<svg/onload=alert(5)>{{7*7}}`

/** A subnet that is only there to be shown. */
function hostileMarket() {
  const { models, ...market } = tinyMarket({ name: 'hostile', dataset: null, weight: 3 })
  const profile = {
    device: HOSTILE_SHORT,
    ort: '<b>1.30.0</b>',
    precision: 'fp32',
    provider: 'cpu',
    threads: 1,
  } as const
  return {
    ...market,
    models: models.map((model) => ({
      ...model,
      name: 'other',
      file: new Uint8Array([...TINY_MODEL]),
      license: { redistributable: true, source: HOSTILE, spdx: 'MIT' },
      profile: { ...profile, comparison: 'exact' as const, optimization: 'disabled' as const },
    })),
  }
}

/** As a worker that says what its work took, in words of its own. */
async function workTellingEnergy(peer: Peer): Promise<void> {
  const works = (await peer.lease()).map(({ job, inputs }, index) =>
    peer.answerWith(job, { index, energy: { method: HOSTILE_SHORT, millijoules: 14 } }, tinyOutput(inputs)),
  )
  await peer.call('/v1/results', { results: works })
  await peer.submit(peer.draft(works.map(({ receipt }) => receipt)))
}

describeInChromium('the explorer', () => {
  let node: RegtestNode
  let pages: Awaited<ReturnType<typeof buildPages>>
  let site: Site
  let peers: Peer[]
  let browser: Browser
  beforeAll(async () => {
    ;[node, pages, browser] = await Promise.all([startBitcoind(), buildPages(), launchChromium()])
    site = await openSite(node, {
      explorer: pages.folder,
      flags: { origin: HOSTILE_ORIGIN },
      subnets: [tinyMarket(), hostileMarket()],
    })
    peers = await site.begin(2)
    for (const peer of peers.slice(0, 2)) await workTellingEnergy(peer)
    await site.mineAudited(peers, 'a payout', () =>
      site.status().payouts.some(({ state }) => state === 'settled'),
    )
  })
  afterAll(async () => {
    await browser.close()
    await site[Symbol.asyncDispose]()
    await node.stop()
    pages[Symbol.dispose]()
  })

  /** Where each page is, and what is on it once its data has come. */
  const PAGES: Readonly<Record<string, { path: () => string; shows: (page: Page) => Promise<unknown> }>> = {
    overview: {
      path: () => '/',
      shows: (page) => page.getByRole('link', { name: /^Anchor 0, final/ }).waitFor(),
    },
    anchors: { path: () => '/#/anchors', shows: (page) => page.getByText('162 vB').first().waitFor() },
    log: { path: () => '/#/log', shows: (page) => page.locator('summary', { hasText: 'genesis' }).waitFor() },
    'an entry': {
      path: () => '/#/log/0',
      shows: (page) => page.locator('dd', { hasText: HOSTILE_ORIGIN }).waitFor(),
    },
    epochs: { path: () => '/#/epochs', shows: (page) => page.getByText('60,000 sat').first().waitFor() },
    workers: {
      path: () => '/#/workers',
      shows: (page) => page.getByRole('link', { name: peers[0]?.hex.slice(0, 10) ?? '' }).waitFor(),
    },
    'a worker': {
      path: () => `/#/workers/${peers[0]?.hex}`,
      shows: (page) => page.getByText('Nothing stands against it.').waitFor(),
    },
    subnets: { path: () => '/#/subnets', shows: (page) => page.getByText('24 of 24').waitFor() },
    receipts: {
      path: () => '/#/receipts',
      shows: async (page) => {
        for (const name of [/^Check the proof/, /^Download the .ots file/])
          await page.getByRole('link', { name }).first().waitFor()
      },
    },
    verify: {
      path: () => '/verify',
      shows: (page) => page.getByRole('button', { name: 'Choose a file' }).waitFor(),
    },
  }

  test.each(Object.keys(PAGES))(
    '%s shows the log, asks nobody else, and runs nothing that a text brings along',
    async (name) => {
      const { path, shows } = PAGES[name] ?? expect.fail()
      await using opened = await openPage(browser, `${site.url}${path()}`)
      await shows(opened.page)
      opened.expectClean()
    },
  )

  test.each(Object.keys(PAGES).flatMap((name) => [[name, 'light'] as const, [name, 'dark'] as const]))(
    '%s has nothing that axe finds inaccessible, %s',
    async (name, colorScheme) => {
      const { path, shows } = PAGES[name] ?? expect.fail()
      await using opened = await openPage(browser, `${site.url}${path()}`, {
        colorScheme,
        reducedMotion: 'reduce',
      })
      await shows(opened.page)
      await opened.page.evaluate(AXE)
      const violations = await opened.page.evaluate('axe.run().then(({ violations }) => violations)')
      expect(violations).toEqual([])
    },
  )

  test.each(Object.keys(PAGES))('%s fits a phone of 360 pixels', async (name) => {
    const { path, shows } = PAGES[name] ?? expect.fail()
    await using opened = await openPage(browser, `${site.url}${path()}`, PHONE)
    await shows(opened.page)
    expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.viewport.width)
  })

  test('hostile names are shown as the text that they are', async () => {
    await using overview = await openPage(browser, `${site.url}/`)
    await overview.page.getByRole('heading', { name: HOSTILE_ORIGIN }).waitFor()
    await using subnets = await openPage(browser, `${site.url}/#/subnets`)
    await subnets.page.getByText(HOSTILE_SHORT).first().waitFor()
    expect(await subnets.page.getByTitle(HOSTILE).count()).toBe(1)
    // 14 mJ for 7 units.
    await subnets.page
      .getByRole('row', { name: `tiny ${HOSTILE_SHORT} 24` })
      .getByText('2,000,000')
      .waitFor()
    overview.expectClean()
    subnets.expectClean()
  })

  test.each(['/#/workers/x"><img src=x onerror=alert(6)>', '/#/log/-1', '/#/<script>', '/#/epochs/%00'])(
    'an address that is none, %s, breaks nothing',
    async (path) => {
      await using opened = await openPage(browser, `${site.url}${path}`)
      await opened.page.getByRole('heading', { level: 1 }).waitFor()
      const { strangers } = opened
      expect(strangers).toEqual([])
      expect(await opened.page.locator('img').count()).toBe(0)
    },
  )

  test('by keyboard: past the navigation, and from page to page', async () => {
    await using opened = await openPage(browser, `${site.url}/`)
    const { page } = opened
    await page.getByRole('link', { name: /^Anchor 0/ }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('#main:focus').waitFor()
    await page.getByRole('link', { name: 'Epochs' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Epochs' }).waitFor()
    await page.locator('#main:focus').waitFor()
    expect(await page.title()).toBe('Epochs · Assay')
    opened.expectClean()
  })

  test('a new block is shown without loading the page again', async () => {
    await using opened = await openPage(browser, `${site.url}/`)
    await opened.page.getByText(`block ${site.coordinator().advancedTo()}`).waitFor()
    await site.mine(1)
    await opened.page.getByText(`block ${site.coordinator().advancedTo()}`).waitFor()
    opened.expectClean()
  })

  test('the pages of a list lead on and back', async () => {
    await using opened = await openPage(browser, `${site.url}/`)
    const { page } = opened
    // As if anchor 0 were on the next page.
    await page.route('**/v1/anchors/list', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: (await response.json()).slice(0, -1) })
    })
    await page.goto(`${site.url}/#/anchors`)
    await page.getByRole('button', { name: 'Further' }).click()
    await page.getByRole('row', { name: /^0 final/ }).waitFor()
    expect(await page.getByRole('row').count()).toBe(2)
    await page.getByRole('button', { name: 'Back' }).click()
    await page.getByRole('row', { name: /^1 / }).waitFor()
    expect(await page.getByRole('button', { name: 'Back' }).count()).toBe(0)
    // The page asks again at any time: no answer may be under way when it closes.
    await page.unrouteAll({ behavior: 'wait' })
    opened.expectClean()
  })

  test('entries of one kind alone are shown', async () => {
    await using opened = await openPage(browser, `${site.url}/#/log`)
    await opened.page.getByLabel('Kind').selectOption('genesis')
    await opened.page.locator('summary', { hasText: 'genesis' }).waitFor()
    expect(await opened.page.locator('summary').count()).toBe(1)
    opened.expectClean()
  })

  test('an entry is told at a glance in words, and one that is not there yet is said not to be', async () => {
    await using opened = await openPage(
      browser,
      `${site.url}/#/log/${site.coordinator().books.log.size() + 9}`,
    )
    const { page } = opened
    await page.getByText(/^There is no entry \d+ yet/).waitFor()
    const glance = (kind: string) => page.locator('summary', { hasText: kind }).last().innerText()
    expect(await glance('genesis')).not.toContain('{')
    expect(await glance('budget')).toMatch(/epoch 0 · +60,000 sat$/)
    opened.expectClean()
  })

  test('a transaction is shown short, and copied whole', async () => {
    await using opened = await openPage(browser, `${site.url}/#/anchors`)
    const txid = site.status().anchors[0]?.txid ?? expect.fail()
    const cell = opened.page.getByTitle(txid)
    expect((await cell.boundingBox())?.width).toBeLessThan(200)
    await cell.dblclick()
    expect(await opened.page.evaluate('String(getSelection())')).toBe(txid)
  })

  test('so is a key among the entries of the log', async () => {
    await using opened = await openPage(browser, `${site.url}/#/log`)
    const key = opened.page
      .locator('summary')
      .getByTitle(/^[0-9a-f]{64}$/)
      .first()
    await key.waitFor()
    expect((await key.boundingBox())?.width).toBeLessThan(200)
    expect(await key.textContent()).toBe(await key.getAttribute('title'))
  })

  test('receipts have their .ots files without the whole status', async () => {
    await using opened = await openPage(browser, `${site.url}/verify`)
    await opened.page.route('**/v1/status', (route) => route.abort())
    await opened.page.goto(`${site.url}/#/receipts`)
    await opened.page
      .getByRole('link', { name: /^Download the .ots file/ })
      .first()
      .waitFor()
  })

  test('what was paid is seen on a phone beside who was paid', async () => {
    await using opened = await openPage(browser, `${site.url}/#/workers`, PHONE)
    const box = await opened.page.getByRole('columnheader', { name: 'Paid' }).boundingBox()
    expect((box?.x ?? 0) + (box?.width ?? Number.POSITIVE_INFINITY)).toBeLessThan(PHONE.viewport.width)
  })

  test('a worker’s page says where it is paid, and of a key that nobody registered it says so once', async () => {
    const [peer] = peers
    await using known = await openPage(browser, `${site.url}/#/workers/${peer?.hex}`)
    await known.page.getByText(peer?.address ?? '').waitFor()
    await using unknown = await openPage(browser, `${site.url}/#/workers/${'0'.repeat(64)}`)
    const alerts = unknown.page.getByRole('alert')
    await alerts.getByText('This key is not registered. This page asks again by itself.').waitFor()
    expect(await alerts.count()).toBe(1)
  })

  test('payouts that the operator has stopped are said to be, with the reason', async () => {
    const { payer } = site.house()
    payer.stop('a look first', Date.now())
    try {
      await using opened = await openPage(browser, `${site.url}/`)
      await opened.page.getByRole('alert').getByText('a look first').waitFor()
    } finally {
      payer.resume()
    }
  })

  test('before the log is open, the pages say what will be there and the overview what to do', async () => {
    await using early = await openSite(node, { explorer: pages.folder, funded: false })
    await using opened = await openPage(browser, `${early.url}/`)
    await opened.page.getByText(early.coordinator().anchorAddress).waitFor()
    await using anchors = await openPage(browser, `${early.url}/#/anchors`)
    await anchors.page.getByRole('alert').getByText('The log opens when its first seal is funded').waitFor()
    expect(opened.strangers).toEqual([])
  })

  test('a coordinator that is gone is said to be, and what was shown stays', async () => {
    await using away = await openSite(node, { explorer: pages.folder })
    await using opened = await openPage(browser, `${away.url}/`)
    await opened.page.getByRole('heading', { name: away.origin }).waitFor()
    await away.close()
    await opened.page.getByRole('alert').getByText('The coordinator does not answer.').first().waitFor()
    await opened.page.getByRole('heading', { name: away.origin }).waitFor()
    await away.reopen()
  })
})
