import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signCommitments } from '../../../compute/work/audit-commitment.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { type Peer, worksOf } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { cheatedOutput, tinyOutput } from '../coordinator/tiny-market.ts'
import { expectRefused } from './refused.ts'

/** Audits stay open for as long as the tests need. */
const FLAGS = { 'epoch.auditRoundBlocks': '100' }
const COMMITMENTS = '/v1/audits/commitments'
const REVEALS = '/v1/audits/reveals'
const NOT_OPEN = { status: 409, code: 'audit_not_open' }

let node: RegtestNode
let site: Site
let worker: Peer
let auditor: Peer
let leases: Awaited<ReturnType<Peer['auditLeases']>>
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node, { flags: FLAGS })
  const [first, operator] = await site.begin(1)
  if (first === undefined || operator === undefined) throw new Error('too few peers')
  worker = first
  auditor = operator
  const works = await worksOf(worker.work(undefined, 3))
  await site.mineUntil('the draw', () => site.status().audits.rounds === works.length)
  leases = await auditor.auditLeases()
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

test('an audit is leased to the one that the beacon drew, as often as it asks', async () => {
  expect(leases).toHaveLength(3)
  expect(leases.every(({ round }) => round === 0)).toBe(true)
  expect(await auditor.auditLeases()).toEqual(leases)
  expect(await worker.auditLeases()).toEqual([])
})

test('commitments are refused whole: by signature, by key, by receipt, by round', async () => {
  const { commitments, signature } = auditor.commitTo(leases, tinyOutput).commitments
  const commit =
    (peer: Peer, list: typeof commitments, origin = site.origin) =>
    () =>
      peer.post(
        COMMITMENTS,
        encodeCbor({ commitments: list, signature: signCommitments(list, origin, peer.secretKey) }),
      )
  const [first, ...others] = commitments
  if (first === undefined) throw new Error('nothing leased')

  await expectRefused(site, () => auditor.post(COMMITMENTS, encodeCbor({ commitments: others, signature })), {
    status: 400,
    code: 'signature_invalid',
  })
  await expectRefused(site, commit(auditor, commitments, 'other.example/log'), {
    status: 400,
    code: 'signature_invalid',
  })
  await expectRefused(site, commit(worker, commitments), NOT_OPEN)
  await expectRefused(site, commit(auditor, [...others, { ...first, receipt: randomBytes(32) }]), NOT_OPEN)
  await expectRefused(site, commit(auditor, [...others, { ...first, round: 1 }]), NOT_OPEN)
  await expectRefused(site, commit(auditor, [first, first]), NOT_OPEN)
})

test('what was not committed to is not revealed, and what was is revealed as it was, once', async () => {
  const { commitments, reveals: honest } = auditor.commitTo(leases, tinyOutput)
  const [first, second, third] = honest.reveals
  if (first === undefined || second === undefined || third === undefined) throw new Error('too few leases')
  const reveal =
    (peer: Peer, ...list: unknown[]) =>
    () =>
      peer.post(REVEALS, encodeCbor({ reveals: list }))

  await expectRefused(site, reveal(auditor, first), NOT_OPEN)
  const { index } = Object(await auditor.call(COMMITMENTS, commitments))
  expect(parseEntry(site.coordinator().books.log.entry(index))).toMatchObject({ kind: 'audit' })
  await expectRefused(site, () => auditor.post(COMMITMENTS, encodeCbor(commitments)), NOT_OPEN)
  expect(await auditor.auditLeases()).toEqual([])

  const mismatch = { status: 400, code: 'commitment_mismatch' }
  await expectRefused(site, reveal(auditor, { ...first, outputs: cheatedOutput() }), mismatch)
  await expectRefused(site, reveal(auditor, { ...first, salt: randomBytes(32) }), mismatch)
  await expectRefused(site, reveal(auditor, { ...first, round: 1 }), NOT_OPEN)
  await expectRefused(site, reveal(auditor, { ...first, receipt: randomBytes(32) }), NOT_OPEN)
  await expectRefused(site, reveal(worker, first), NOT_OPEN)
  // One that is wrong takes the right ones down with it, and so does one that comes twice.
  await expectRefused(site, reveal(auditor, second, { ...first, outputs: cheatedOutput() }), mismatch)
  await expectRefused(site, reveal(auditor, first, first), NOT_OPEN)
  // Whoever has an output can't abstain any more; only the commitment to no bytes says that there is none.
  await expectRefused(site, reveal(auditor, { ...third, outputs: null }), mismatch)

  const outcome = (await reveal(auditor, first, second, third)()).json()
  expect(await outcome).toEqual({
    verdicts: [first, second, third].map(({ receipt }) => ({
      receipt: Buffer.from(receipt).toString('hex'),
      verdict: 'pass',
    })),
  })
  await expectRefused(site, reveal(auditor, first), NOT_OPEN)
  await expectRefused(site, reveal(auditor, third), NOT_OPEN)
  expect(site.status().audits).toMatchObject({ passed: 3, undecided: 0, rounds: 0 })
})
