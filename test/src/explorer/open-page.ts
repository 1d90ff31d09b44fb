import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'

/** As long as anything else in a test may take (vitest.config.ts): only what hangs fails. */
const LIMIT_MS = 120_000

/** The narrowest screen that the explorer is made for. */
export const PHONE = { viewport: { width: 360, height: 740 } }

/** A page and everything that it must not do: errors, dialogs, requests to anywhere but `home`. */
interface WatchedPage extends AsyncDisposable {
  readonly page: Page
  /** Other origins that were asked. */
  readonly strangers: string[]
  /** Fails where anything went wrong so far. */
  expectClean(): void
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(LIMIT_MS)
  const page = await context.newPage()
  const troubles: string[] = []
  const strangers: string[] = []
  const { origin } = new URL(url)
  page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()))
  page.on('pageerror', (error) => troubles.push(String(error.stack)))
  page.on('dialog', async (dialog) => {
    troubles.push(`a dialog: ${dialog.message()}`)
    await dialog.dismiss()
  })
  page.on('request', (request) => new URL(request.url()).origin !== origin && strangers.push(request.url()))
  await page.goto(url)
  return {
    page,
    strangers,
    expectClean: () => expect({ troubles, strangers }).toEqual({ troubles: [], strangers: [] }),
    [Symbol.asyncDispose]: () => context.close(),
  }
}
