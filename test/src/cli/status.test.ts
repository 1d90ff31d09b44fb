import { Command } from 'commander'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { addStatus } from '../../../src/cli/commands/status.ts'
import { headOf, renderStatus } from '../../../src/cli/status-screen.ts'
import { readStatus } from '../../../src/client/read-status.ts'
import { MIN_FREE_BYTES } from '../../../src/coordinator/space-watch.ts'
import { openSite, TREASURY_SATS } from '../coordinator/site.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

/** Runs one command line. @returns what it wrote to standard output. */
async function assay(...args: string[]): Promise<string> {
  let out = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text
    return true
  })
  onTestFinished(() => write.mockRestore())
  const program = new Command('assay').exitOverride()
  addStatus(program)
  await program.parseAsync(args, { from: 'user' })
  write.mockRestore()
  return out
}

test('before the first seal the screen says where to send it', async () => {
  await using site = await openSite(node, { funded: false })
  await site.coordinator().kick()
  const { anchorAddress } = site.coordinator()
  const [, waiting] = (await assay('status', '--url', site.url)).split('\n')
  expect(waiting).toBe(
    `Waiting   for fee money for anchors, sent to ${anchorAddress}: the log opens once it is final`,
  )
})

test('the screen shows work, audits, anchors, money and workers as they are', async () => {
  await using site = await openSite(node)
  const [worker, auditor] = await site.begin(1)
  if (worker === undefined || auditor === undefined) throw new Error('two peers')
  await worker.work()
  await site.mineAudited([worker, auditor], 'a settled payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
  const out = await assay('status', '--url', site.url)
  const { db } = site.coordinator().books
  const receipts = Number(db.prepare('SELECT count(*) FROM receipt').pluck().get())
  expect(site.status().work.receipts).toBe(receipts)
  expect(site.status().workers.reduce((sum, one) => sum + one.receipts, 0)).toBe(receipts)
  expect(site.status().audits.sampled).toBe(
    Number(db.prepare('SELECT count(*) FROM receipt WHERE sampled = 1').pluck().get()),
  )
  const { audits, runwayBlocks, epoch, payouts } = site.status()
  expect(out).toContain(`block ${site.coordinator().advancedTo()} · epoch ${epoch}`)
  expect(out).toContain(`${audits.sampled} sampled: ${audits.passed} passed, 0 failed`)
  expect(out).toContain(`Runway    ${runwayBlocks} blocks`)
  expect(out).toMatch(new RegExp(`Payouts {3}${payouts.length} settled`))
  expect(out).toContain(worker.hex.slice(0, 16))
  expect(out).not.toContain('STALLED')

  const [, treasury, owed, free] =
    /(\d+)\.\d{3} sat, of which (\d+)\.\d{3} owed and (\d+)\.\d{3} free/.exec(out) ?? []
  const { rows } = await site.reconcile()
  expect(BigInt(treasury ?? 0) * 1000n).toBe(rows.find(({ what }) => what === 'treasury')?.booksMsat)
  expect(Number(owed) + Number(free)).toBeCloseTo(Number(treasury), -1)
  expect(Number(treasury)).toBeLessThan(Number(TREASURY_SATS))

  const json = JSON.parse(await assay('status', '--url', site.url, '--json'))
  expect(json).toMatchObject({ origin: site.origin, open: { runwayBlocks, audits: { failed: 0 } } })
})

test('on a terminal what stands behind a label is no longer than it is wide, and no word is broken', async () => {
  await using site = await openSite(node)
  const status = await readStatus(site.url)
  const whole = renderStatus(status)
  const lines = renderStatus(status, 80).split('\n')
  expect(Math.max(...whole.split('\n').map(({ length }) => length))).toBeGreaterThan(80)
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
  expect(lines.join(' ').split(/\s+/)).toEqual(whole.split(/\s+/))
})

test('a line that is folded goes on under its text, and rows of a table stay as they are', async () => {
  await using site = await openSite(node)
  await site.peer()
  const status = await readStatus(site.url)
  const lines = renderStatus(status, 60).split('\n')
  const rows = renderStatus(status)
    .split('\n')
    .filter((text) => /^ {2}\S/.test(text))
  expect(Math.max(...rows.map(({ length }) => length))).toBeGreaterThan(60)
  expect(lines.filter((text) => /^ {2}\S/.test(text))).toEqual(rows)
  const at = lines.findIndex((text) => text.startsWith('Audits'))
  expect(lines.slice(at, at + 2)).toEqual([
    'Audits    0 rounds open; 0 sampled: 0 passed, 0 failed, 0',
    '          void, 0 undecided',
  ])
})

test('a watch shows the head of what is longer than the terminal, and says how much is below', () => {
  expect(headOf('log\nAnchors\nWork', 4)).toBe('log\nAnchors\nWork')
  expect(headOf('log\nAnchors\nWork', 3)).toBe('log\n… 2 more lines: a taller window shows them')
  expect(headOf('log\nAnchors\nWork', 1)).toBe('… 3 more lines: a taller window shows them')
})

test('a stall is shown with its reason and what to do', async () => {
  await using site = await openSite(node, { flags: { 'anchor.capSats': '1' } })
  site.house().anchorer.request()
  await site.mine(1)
  const out = await assay('status', '--url', site.url)
  expect(out).toMatch(/STALLED .*cap_reached/)
  expect(out).toMatch(/→ .*anchor\.capSats/)
})

test('a failing round is shown as an error', async () => {
  await using own = await startBitcoind()
  await using site = await openSite(own)
  await own.kill()
  await site.coordinator().kick()
  expect(await assay('status', '--url', site.url)).toMatch(/ERROR .*tried again/)
})

test('a coordinator that does not answer, and a watch without a terminal, are errors with a code', async () => {
  await expect(assay('status', '--url', 'http://127.0.0.1:1')).rejects.toMatchObject({
    code: 'coordinator_unreachable',
  })
  await expect(assay('status', '--watch')).rejects.toMatchObject({ code: 'terminal_missing' })
})

test('a halt, a full disk, a payout that is stuck and an unknown runway are not left without a word', async () => {
  await using site = await openSite(node, { flags: { 'anchor.capSats': '1' } })
  const freeBytes = vi.spyOn(site.coordinator().books.blobs, 'freeBytes')
  freeBytes.mockReturnValue(MIN_FREE_BYTES)
  expect(await assay('status', '--url', site.url)).not.toContain('DISK')
  freeBytes.mockReturnValue(MIN_FREE_BYTES - 1)
  expect(await assay('status', '--url', site.url)).toMatch(/^DISK .*almost full/m)
  site.house().anchorer.request()
  await site.mine(1)
  const status = await readStatus(site.url)
  if (status.open === null) throw new Error('the site is open')
  const open = { ...status.open, halted: 'the seal is gone', payoutTrouble: 'fee_stalled: too dear' }
  const out = renderStatus({ ...status, open })
  expect(out).toContain('HALTED    the seal is gone')
  expect(out).toContain('STUCK     fee_stalled: too dear')
  expect(out).toContain('unknown before the first anchor')
})
