import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { describe } from 'vitest'

/** Named by CHROMIUM, else where distributions put it. */
const PLACES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
const found = PLACES.find((path) => path !== undefined && existsSync(path))

/** A suite that needs a browser; without one it is skipped, and a line says why. */
export function describeInChromium(name: string, suite: () => void): void {
  if (found === undefined)
    process.stderr.write(`${name}: skipped, no Chromium is here: name it in CHROMIUM\n`)
  describe.skipIf(found === undefined)(name, suite)
}

/** Without its sandbox: it shows pages of our own, and root can't have one. */
export function launchChromium() {
  if (found === undefined) throw new Error('no Chromium')
  return chromium.launch({ executablePath: found, args: ['--no-sandbox'] })
}
