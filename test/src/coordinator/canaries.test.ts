import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { parseJob, parseOriginRecord } from '../../../compute/work/job.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { addCanaries, type CanaryDraft } from '../../../src/client/add-canaries.ts'
import { askCoordinator } from '../../../src/client/ask-coordinator.ts'
import { decideAuditor, readAuditors } from '../../../src/client/auditors.ts'
import { type Entry, encodeEntry, parseEntry, type StatusOf } from '../../../src/log/entry.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { scrape } from '../metrics/scrape.ts'
import { changeDefinition } from '../replay/differences-in-log.ts'
import { entriesOf, find, inOrder, recordLog } from '../replay/recorded-log.ts'
import { epochEntry } from './epoch-entry.ts'
import { ask } from './paying-requester.ts'
import { idOf, type Peer } from './peer.ts'
import { openSite, type Site, TOKEN } from './site.ts'
import { cheatedOutput, TINY_MODEL, tinyInput, tinyMarket, tinyModels, tinyOutput } from './tiny-market.ts'

/** Every request brings a canary along, and there is no other work. */
const ALWAYS = {
  flags: { 'audits.canaryBasisPoints': '10000', 'epoch.auditRoundBlocks': '100' },
  subnets: [tinyMarket({ dataset: null })],
}

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

const canary = (value: number): CanaryDraft => ({
  subnet: 'tiny',
  model: 'identity',
  inputs: tinyInput(value),
  outputs: tinyOutput(tinyInput(value)),
})

describe('known answers', () => {
  let site: Site
  let honest: Peer
  let works: Answered[]
  let leftInPublic: number | undefined

  beforeAll(async () => {
    site = await openSite(node, ALWAYS)
    const [first, cheat, operator] = await site.begin(2)
    if (!first || !cheat || !operator) throw new Error('three peers')
    honest = first
    const known = [101, 102, 103, 104].map(canary)
    expect(await addCanaries(site.url, TOKEN, known)).toEqual({ added: 4, left: 4 })
    expect(await publicLeft(site)).toBe(4)
    works = [
      ...(await answer(site, honest, 1)),
      ...(await answer(site, honest, 2)),
      ...(await answer(site, cheat, 3, cheatedOutput)),
    ]
    expect(await addCanaries(site.url, TOKEN, known)).toEqual({ added: 0, left: 1 })
    leftInPublic = await publicLeft(site)
    await site.mineAudited([honest, cheat, operator], 'the settlement', () => isSettled(site))
  })
  afterAll(() => site[Symbol.asyncDispose]())

  test('go out with requests, each once, and nothing but their salted origin says which they are', () => {
    expect(works.map(({ isAsked }) => isAsked).toSorted()).toEqual([false, false, false, true, true, true])
    const { db } = site.coordinator().books
    const bytes = db.prepare<[], Uint8Array>('SELECT bytes FROM job').pluck().all()
    const shapes = bytes.map(parseJob).map(({ input, origin, nonce, deadline, ...rest }) => rest)
    expect(new Set(shapes.map((shape) => JSON.stringify(shape))).size).toBe(1)
    expect(new Set(bytes.map(({ length }) => length)).size).toBe(1)
  })

  test('are counted as left by the public metrics until the epoch is over', async () => {
    expect([leftInPublic, await publicLeft(site)]).toEqual([4, 1])
  })

  test('are opened at settlement, and decide there what the receipt was', () => {
    const { reasons, openings } = epochEntry(site, 0)
    const known = openings.flatMap(({ origin }) => {
      const record = parseOriginRecord(origin)
      return record.kind === 'canary' ? [Buffer.from(record.known).toString('hex')] : []
    })
    const held = [101, 102, 103].map((value) => Buffer.from(sha256(canary(value).outputs)).toString('hex'))
    expect(known).toEqual(held)
    for (const { isAsked, by, id } of works) {
      const expected = by === honest.hex ? ['unassigned', 'canary_passed'] : ['fail', 'canary_failed']
      expect(reasons.get(id)).toBe(expected[isAsked ? 0 : 1])
    }
  })

  test('follow from the public log, and refute nobody who audited as it is right', async () => {
    const log = await recordLog(site, node)
    expect(await replay(log)).toMatchObject({ ok: true, first: null })
    expect(contradictions(await entriesOf(log))).toEqual([])
  })

  test('have no place in a private subnet, where nobody can recheck them', async () => {
    const log = await recordLog(site, node)
    const { source } = await changeDefinition(log, (definition) => ({ ...definition, privacy: 'private' }))
    const { index } = await find(log, 'epoch')
    expect((await replay(source)).first).toMatchObject({
      rule: 'openings',
      code: 'canary_private',
      entry: index,
    })
  })
})

describe('what is no known answer', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(node, ALWAYS)
  })
  afterAll(() => site[Symbol.asyncDispose]())

  test('is refused by a body of another form', async () => {
    const bodies = [Uint8Array.of(0xa0), encodeCbor({ canaries: [] })]
    for (const body of bodies) {
      const code = 'body_malformed'
      await expect(askOperator(site, 'canaries', body)).rejects.toMatchObject({ code, status: 400 })
    }
    await expect(askOperator(site, 'canaries', Uint8Array.of(0xff))).rejects.toMatchObject({ status: 400 })
  })

  test.each<[string, Partial<CanaryDraft>, string, number]>([
    ['of an unknown model', { model: 'another' }, 'model_unknown', 404],
    ['of another subnet', { subnet: 'another' }, 'model_unknown', 404],
    ["with another input than the model's", { inputs: tinyOutput(tinyInput(1)) }, 'canary_mismatch', 400],
    ['with an input that is no bundle', { inputs: TINY_MODEL }, 'tensor_malformed', 400],
    ['with an answer that is no bundle', { outputs: TINY_MODEL }, 'tensor_malformed', 400],
  ])('is refused %s', async (_what, changes, code, status) => {
    const draft = { ...canary(1), ...changes }
    await expect(addCanaries(site.url, TOKEN, [draft])).rejects.toMatchObject({ code, status })
  })

  test('is refused while its bundles are not held', async () => {
    const one = { subnet: 'tiny', model: 'identity', inputs: randomBytes(32), outputs: sha256(tinyInput(77)) }
    const asked = askOperator(site, 'canaries', encodeCbor({ canaries: [one] }))
    await expect(asked).rejects.toMatchObject({ code: 'blob_missing', status: 409 })
  })
})

describe.each([
  ['fails what is right', tinyOutput, () => tinyOutput(tinyInput(999))],
  ['passes what is wrong', cheatedOutput, cheatedOutput],
])('an auditor that %s', (_what, compute, audit) => {
  let site: Site
  let log: ReplaySource
  let liar: Peer
  let works: Answered[]
  beforeAll(async () => {
    const strict = tinyMarket({ models: tinyModels(1, 1_000_000), dataset: null })
    site = await openSite(node, { ...ALWAYS, subnets: [strict] })
    // Nobody else audits: so that it is drawn.
    liar = await site.peer()
    const worker = await site.peer()
    await decideAuditor(site.url, TOKEN, { worker: liar.key, status: 'admitted', reason: 'a mistake' })
    await addCanaries(site.url, TOKEN, [101, 102].map(canary))
    await site.anchorAll()
    await site.mineTo(site.startHeight - 1)
    works = [...(await answer(site, worker, 1, compute)), ...(await answer(site, worker, 2, compute))]
    await site.mineUntil('the draw', () => site.status().audits.rounds === works.length)
    await liar.audit(audit)
    await site.mineUntil('the settlement', () => isSettled(site))
    await site.anchorAll()
    log = await recordLog(site, node)
  })
  afterAll(() => site[Symbol.asyncDispose]())

  test('is withdrawn by the epoch that opens the known answer, once, by an entry that names the receipts', async () => {
    const entries = await entriesOf(log)
    const settled = entries.map(parseEntry).findIndex(({ kind }) => kind === 'epoch')
    const refuting = works.filter(({ isAsked }) => !isAsked)
    const evidence = refuting.map(({ id }) => ({
      entry: settled,
      receipt: new Uint8Array(Buffer.from(id, 'hex')),
    }))
    expect(evidence).toHaveLength(2)
    expect(contradictions(entries)).toEqual([
      {
        index: settled + 1,
        entry: {
          v: 1,
          kind: 'status',
          subject: 'contradiction',
          worker: new Uint8Array(liar.key),
          status: 'withdrawn',
          evidence,
        },
      },
    ])
    expect((await readAuditors(site.url)).auditors).toEqual([])
    expect(await replay(log)).toMatchObject({ ok: true, first: null })
  })

  test('may be admitted again, and what was held against it once is not again', async () => {
    await decideAuditor(site.url, TOKEN, { worker: liar.key, status: 'admitted', reason: 'it was mended' })
    const { auditors } = await readAuditors(site.url)
    expect(auditors).toMatchObject([{ auditor: liar.hex, reason: 'it was mended' }])
    await site.mine(6)
    expect(contradictions(await entriesOf(await recordLog(site, node)))).toHaveLength(1)
  })

  test.each<[string, (entry: StatusOf<'contradiction'>) => Entry, string]>([
    ['another auditor', (entry) => ({ ...entry, worker: Buffer.alloc(32, 7) }), 'standing_mismatch'],
    [
      'another receipt',
      (entry) => ({ ...entry, evidence: withFirst(entry.evidence, { receipt: Buffer.alloc(32, 7) }) }),
      'standing_mismatch',
    ],
    [
      'another epoch',
      (entry) => ({ ...entry, evidence: withFirst(entry.evidence, { entry: 0 }) }),
      'standing_mismatch',
    ],
    ['less evidence', (entry) => ({ ...entry, evidence: entry.evidence.slice(1) }), 'standing_mismatch'],
    [
      'a decision of the operator in its place',
      ({ worker, ...rest }) => ({
        v: 1,
        kind: rest.kind,
        subject: 'auditor',
        worker,
        status: 'withdrawn',
        reason: 'x',
      }),
      'standing_missing',
    ],
  ])('and a log with %s there is refused', async (_change, change, code) => {
    const entries = await entriesOf(log)
    const [{ index, entry } = { index: -1, entry: null }] = contradictions(entries)
    if (entry === null) throw new Error('the liar was not found')
    const changed = entries.with(index, encodeEntry(change(entry)))
    const { rules } = await replay({ ...log, entries: () => inOrder(changed) })
    expect(rules.find(({ name }) => name === 'standings')?.first).toMatchObject({ code, entry: index })
  })
})

type Evidence = StatusOf<'contradiction'>['evidence']

function withFirst([first, ...rest]: Evidence, change: Partial<Evidence[number]>): Evidence {
  if (first === undefined) throw new Error('no evidence')
  return [{ ...first, ...change }, ...rest]
}

interface Answered {
  readonly isAsked: boolean
  readonly by: string
  readonly id: string
}

/** A request and the canary that comes after it, from lease to acknowledgement. */
async function answer(
  site: Site,
  worker: Peer,
  value: number,
  compute?: (inputs: Uint8Array) => Uint8Array,
): Promise<Answered[]> {
  const asked = ask(site, value)
  const jobs = await worker.lease(256, 10_000)
  while (jobs.length < 2) jobs.push(...(await worker.lease(256, 10_000)))
  expect(jobs).toHaveLength(2)
  expect(site.status().work.requestsOpen).toBe(2)
  const done = await worker.hold(jobs, compute)
  expect(site.status().work.requestsOpen).toBe(0)
  await worker.submit(worker.draft(done.map(({ receipt }) => receipt)))
  expect((await asked).ok).toBe(true)
  return jobs.map(({ inputs }, i) => {
    const work = done[i]
    if (work === undefined) throw new Error('a work for each job')
    return { isAsked: Buffer.compare(inputs, tinyInput(value)) === 0, by: worker.hex, id: idOf(work) }
  })
}

async function publicLeft(site: Site): Promise<number | undefined> {
  return (await scrape(site.coordinator())).samples.get('assay_canaries_left')
}

function isSettled(site: Site): boolean {
  return site.status().epochs.some(({ number, settled }) => number === 0 && settled)
}

function contradictions(entries: readonly Uint8Array[]) {
  return entries.flatMap((bytes, index) => {
    const entry = parseEntry(bytes)
    return entry.kind === 'status' && entry.subject === 'contradiction' ? [{ index, entry }] : []
  })
}

function askOperator(site: Site, path: string, body: Uint8Array): Promise<Response> {
  return askCoordinator(site.url, `/v1/operator/${path}`, { method: 'POST', token: TOKEN, body })
}
