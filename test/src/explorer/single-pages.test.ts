import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RegtestNode } from '../../../regtest/start-bitcoind.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { describeInChromium } from './chromium.ts'
import { type HostileSite, openHostileSite } from './hostile-site.ts'
import { openPage, PHONE } from './open-page.ts'

describeInChromium('single pages of the explorer', () => {
  let hostile: HostileSite
  let node: RegtestNode
  let explorer: string
  let site: Site
  let peers: HostileSite['peers']
  let browser: Browser
  beforeAll(async () => {
    hostile = await openHostileSite()
    ;({ node, explorer, site, peers, browser } = hostile)
  })
  afterAll(() => hostile[Symbol.asyncDispose]())

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
    await opened.page.getByText('162 vB').first().waitFor()
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

  test.each(['anchors', 'epochs'])('the table of %s is read on a phone without scrolling', async (name) => {
    await using opened = await openPage(browser, `${site.url}/#/${name}`, PHONE)
    const table = await opened.page.getByRole('table').boundingBox()
    const frame = await opened.page.locator('.scroll').boundingBox()
    expect(table?.width).toBeLessThan(frame?.width ?? 0)
  })

  test('whether an anchor is final is seen on a phone beside its number', async () => {
    await using opened = await openPage(browser, `${site.url}/#/anchors`, PHONE)
    const badge = opened.page.getByRole('table').getByText('final').first()
    await badge.waitFor()
    const box = await badge.boundingBox()
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
    await using early = await openSite(node, { explorer, funded: false })
    await using opened = await openPage(browser, `${early.url}/`)
    await opened.page.getByText(early.coordinator().anchorAddress).waitFor()
    await using anchors = await openPage(browser, `${early.url}/#/anchors`, PHONE)
    await anchors.page.getByRole('alert').getByText('The log opens when its first seal is funded').waitFor()
    // The address stands there, too, and has no place to break at.
    expect(await anchors.page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.viewport.width)
    expect(opened.strangers).toEqual([])
  })

  test('a coordinator that is gone is said to be, and what was shown stays', async () => {
    await using away = await openSite(node, { explorer })
    await using opened = await openPage(browser, `${away.url}/`)
    await opened.page.getByRole('heading', { name: away.origin }).waitFor()
    await away.close()
    await opened.page.getByRole('alert').getByText('The coordinator does not answer.').first().waitFor()
    await opened.page.getByRole('heading', { name: away.origin }).waitFor()
    await away.reopen()
  })
})
