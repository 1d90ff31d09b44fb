import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ROOT } from '../docs/documents.ts'
import { blocksOf } from './blocks.ts'
import { openReader } from './reader.ts'

/** A hundred blocks, a second or two apart, on a machine busy with other tests. */
const GUIDE_LIMIT_MS = 1_200_000

/** Blocks that are not run, by their first line, and why. */
const ELSEWHERE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/OPERATING.md': {
    'assay subnet add ~/assay/vision.toml':
      'wants models that are not in the repository; test/src/cli/subnet-repository.test.ts has some',
    'assay subnet record': 'wants a GPU; test/src/cli/subnet-calibrate.test.ts runs it on CPUs',
    'assay subnet compare':
      'wants two models that are not in the repository; subnet-calibrate.test.ts has others',
    'assay canary add':
      'wants answers of the operator’s; test/src/cli/auditors-and-canaries.test.ts has some',
    'assay subnet thaw': 'wants a frozen model; test/src/coordinator/standings.test.ts freezes one',
    'assay payout export': 'wants a signer elsewhere; test/src/coordinator/payouts.test.ts is one',
    'assay payout void':
      'wants a coin that something else has spent; test/src/coordinator/void-payout.test.ts has one',
    'assay init --dir ~/assay-signet': 'wants signet',
    'assay init --dir /var/lib/assay': 'wants mainnet',
  },
  'docs/WORKING.md': {
    'npm ci': 'has been done in this checkout',
    'assay worker install-cuda': 'fetches from the internet, for a GPU',
    'assay worker address': 'wants a wallet that signs by BIP-322',
  },
  'docs/AUDITING.md': {},
  'docs/CI.md': {
    'npm pack': 'test/package/built-package.test.ts does',
    'npm install': 'fetches from the registry; built-package.test.ts unpacks instead',
  },
}

// A release of Bitcoin Core is fetched without its bitcoin-cli: with ASSAY_BITCOIND, or a bitcoind on PATH, both are there.
const reader = await openReader()
afterAll(async () => reader?.[Symbol.asyncDispose]())
const followed = test.skipIf(reader === null)
const follow = async (guide: string) => (await reader?.follow(guide)) ?? ''

test.each(Object.entries(ELSEWHERE))('%s: what is not run is known, with its reason', (guide, known) => {
  const skipped = blocksOf(guide, 'sh').filter(({ mark }) => mark === 'elsewhere')
  expect(skipped.map(({ text }) => Object.keys(known).find((start) => text.startsWith(start)))).toEqual(
    Object.keys(known),
  )
})

// In this order: the others look at the site that the first one makes.
followed('the operator’s guide leads from nothing to a payout', { timeout: GUIDE_LIMIT_MS }, async () => {
  const said = await follow('docs/OPERATING.md')
  expect(said).toMatch(/Receipt [0-9a-f]{64}\. Next/)
  expect(said).toMatch(/assay_receipt_id/)
  expect(said).toMatch(/settled/)
})

followed('the worker’s guide leads to a second worker', { timeout: GUIDE_LIMIT_MS }, async () => {
  const said = await follow('docs/WORKING.md')
  expect(said).toMatch(/"standing": "good"/)
  expect(said).toMatch(/"signer"/)
})

followed(
  'the auditor’s guide checks a receipt by command and by hand, and the log',
  { timeout: GUIDE_LIMIT_MS },
  async () => {
    const said = await follow('docs/AUDITING.md')
    expect(said).toMatch(/The receipt existed when block \d+ was mined/)
    expect(said).toMatch(/the receipt is in block \d+/)
  },
)

test('the guide for CI: each example runs where the package is installed', {
  timeout: GUIDE_LIMIT_MS,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-ci-guide-'))
  try {
    // test/package/ installs what is packed; here the sources stand for it.
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(ROOT, join(folder, 'node_modules/assay'))
    for (const { text } of blocksOf('docs/CI.md', 'js')) {
      writeFileSync(
        join(folder, 'example.mjs'),
        text.replaceAll("'assay/regtest'", `'${join(ROOT, 'regtest/start-bitcoind.ts')}'`),
      )
      execFileSync(process.execPath, ['--test', 'example.mjs'], { cwd: folder, encoding: 'utf8' })
    }
    expect(blocksOf('docs/CI.md', 'js').length).toBeGreaterThan(0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
