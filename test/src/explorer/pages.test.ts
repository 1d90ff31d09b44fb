import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Site } from '../coordinator/site.ts'
import { describeInChromium } from './chromium.ts'
import { HOSTILE, HOSTILE_ORIGIN, HOSTILE_SHORT, type HostileSite, openHostileSite } from './hostile-site.ts'
import { openPage, PHONE } from './open-page.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describeInChromium('every page of the explorer', () => {
  let hostile: HostileSite
  let site: Site
  let peers: HostileSite['peers']
  let browser: Browser
  beforeAll(async () => {
    hostile = await openHostileSite()
    ;({ site, peers, browser } = hostile)
  })
  afterAll(() => hostile[Symbol.asyncDispose]())

  /** Where each page is, and what is on it once its data has come. */
  const PAGES: Readonly<Record<string, { path: () => string; shows: (page: Page) => Promise<unknown> }>> = {
    overview: {
      path: () => '/',
      shows: (page) => page.getByRole('link', { name: /^Anchor 0, final/ }).waitFor(),
    },
    anchors: {
      path: () => '/#/anchors',
      shows: (page) => {
        const { height } = site.status().anchors[0] ?? expect.fail()
        return page.getByRole('row', { name: new RegExp(`^0 final ${height}\\b`) }).waitFor()
      },
    },
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
})
