import { describe, expect, test } from 'vitest'
import { openStandings } from '../../../src/replay/standings.ts'
import { evidenceOf } from '../../../src/rules/cusum-evidence.ts'
import { MAX_FAILS } from '../../../src/rules/max-fails.ts'
import {
  type AuditedReceipt,
  isSuspended,
  modelKey,
  modelOf,
  NO_RECORD,
  observeAudits,
  type StandingChange,
  thawModel,
} from '../../../src/rules/standings.ts'

const MODEL = 'digits/aa'
/** Three fails hold, five suspend. */
const P0 = evidenceOf({ numerator: 3n, denominator: 1_000n })

function site(addressOf = (worker: string) => `address of ${worker}`) {
  const standings = openStandings(addressOf)
  let entry = 0
  /** One verdict an entry. @returns what each crossed */
  function say(
    verdict: 'pass' | 'fail',
    worker: string,
    auditor: string,
    changes: Partial<AuditedReceipt> = {},
  ) {
    entry += 1
    const receipt = `receipt ${entry}`
    const audit = { entry, receipt, model: MODEL, worker, auditor, verdict, evidence: P0, ...changes }
    return observeAudits(standings, [audit]).map(told)
  }
  function skip(entries: number): void {
    entry += entries
  }
  return { standings, say, skip }
}

function told(change: StandingChange): string {
  return change.subject === 'model'
    ? `${change.model} frozen: ${change.workers.join(' ')}`
    : `${change.worker} ${change.standing}`
}

test('a model is named by subnet and digest', () => {
  const digest = new Uint8Array(32).fill(7)
  expect(modelOf(modelKey('a-1', digest))).toEqual({ subnet: 'a-1', digest: Buffer.from(digest) })
})

describe('one worker', () => {
  test('each line is told once, when it is crossed, and the record names the fails', () => {
    const { standings, say } = site()
    const crossed = ['one', 'two', 'one', 'two', 'one', 'two'].map((auditor) => say('fail', 'w', auditor))
    expect(crossed).toEqual([[], [], ['w held'], [], ['w suspended'], []])
    expect(standings.recordOf('w').fails.map(({ entry }) => entry)).toEqual([1, 2, 3, 4, 5])
  })

  test('one auditor alone holds it, and does not suspend it', () => {
    const { say } = site()
    const crossed = Array.from({ length: 20 }, () => say('fail', 'w', 'one')).flat()
    expect(crossed).toEqual(['w held'])
    expect(say('fail', 'w', 'two')).toEqual(['w suspended'])
  })

  test('passes make it good again, and wipe the record at last', () => {
    const { standings, say } = site()
    for (let i = 0; i < 3; i += 1) say('fail', 'w', 'one')
    const crossed = Array.from({ length: 150 }, () => say('pass', 'w', 'one')).flat()
    expect(crossed).toEqual(['w good'])
    expect(standings.recordOf('w')).toEqual(NO_RECORD)
  })

  test('lines crossed and crossed back within one entry are not told', () => {
    const { standings } = site()
    const audits = Array.from({ length: 400 }, (_, i) => ({
      entry: 1,
      receipt: `${i}`,
      model: MODEL,
      worker: 'w',
      auditor: 'one',
      verdict: i < 3 ? ('fail' as const) : ('pass' as const),
      evidence: P0,
    }))
    expect(observeAudits(standings, audits)).toEqual([])
  })

  test('a line crossed in the midst of an entry is told at its end', () => {
    const { standings } = site()
    const audits = ['one', 'two', 'one', 'two'].map((auditor, i) => ({
      entry: 1,
      receipt: `${i}`,
      model: MODEL,
      worker: 'w',
      auditor,
      verdict: 'fail' as const,
      evidence: P0,
    }))
    expect(observeAudits(standings, audits).map(told)).toEqual(['w held'])
  })

  test('a pass is no fail of the record', () => {
    const { standings, say } = site()
    say('fail', 'w', 'one')
    say('pass', 'w', 'one')
    expect(standings.recordOf('w').fails.map(({ entry }) => entry)).toEqual([1])
  })

  test('the record keeps the newest fails alone', () => {
    const { standings, say } = site()
    for (let i = 0; i < MAX_FAILS + 5; i += 1) say('fail', 'w', 'one')
    const { fails } = standings.recordOf('w')
    expect(fails).toHaveLength(MAX_FAILS)
    expect(fails[0]?.entry).toBe(6)
  })

  test('fails on several models add up', () => {
    const { say } = site()
    const crossed = [1, 2, 3, 4, 5].map((i) => say('fail', 'w', `auditor ${i % 2}`, { model: `m${i}/aa` }))
    expect(crossed.flat()).toEqual(['w held', 'w suspended'])
  })
})

describe('workers that fail together', () => {
  const fails = (say: ReturnType<typeof site>['say'], workers: string[], times: number) =>
    Array.from({ length: times }, (_, i) => workers.flatMap((w) => say('fail', w, `auditor ${i % 2}`))).flat()

  test('freeze the model instead of being convicted', () => {
    const { standings, say } = site()
    expect(fails(say, ['a', 'b', 'c'], 4)).toEqual(['a held', 'b held', 'c held'])
    expect(say('fail', 'b', 'auditor 1')).toEqual([`${MODEL} frozen: a b c`])
    expect(standings.isFrozen(MODEL)).toBe(true)
    // Whatever comes meanwhile counts for nobody.
    expect(fails(say, ['a', 'b', 'c'], 10)).toEqual([])
    expect(Array.from({ length: 300 }, () => say('pass', 'a', 'one')).flat()).toEqual([])
    expect(standings.recordOf('a').fails).toHaveLength(4)
  })

  test('count by payout address: one owner of many keys is one', () => {
    const { say } = site((worker) => (worker === 'a' ? 'its own' : 'the same'))
    fails(say, ['a', 'b', 'c', 'd'], 4)
    expect(say('fail', 'b', 'auditor 1')).toEqual(['b suspended'])
  })

  test('are convicted where most that were audited with them pass', () => {
    const { say } = site()
    for (const worker of ['d', 'e', 'f', 'g']) say('pass', worker, 'one')
    fails(say, ['a', 'b', 'c'], 4)
    expect(say('fail', 'b', 'auditor 1')).toEqual(['b suspended'])
  })

  test('of whom half pass, freeze it still', () => {
    const { say } = site()
    for (const worker of ['d', 'e', 'f']) say('pass', worker, 'one')
    fails(say, ['a', 'b', 'c'], 4)
    expect(say('fail', 'b', 'auditor 1')).toEqual([`${MODEL} frozen: a b c`])
  })

  test('count only while their audits lie near', () => {
    const { say, skip } = site()
    fails(say, ['a', 'b', 'c'], 4)
    skip(1_000)
    expect(say('fail', 'b', 'auditor 1')).toEqual(['b suspended'])
  })

  test('on different models are no common fault', () => {
    const { say } = site()
    for (const [i, worker] of ['a', 'b', 'c'].entries()) {
      for (let j = 0; j < 4; j += 1) say('fail', worker, `auditor ${j % 2}`, { model: `m${i}/aa` })
    }
    expect(say('fail', 'b', 'auditor 1', { model: 'm1/aa' })).toEqual(['b suspended'])
  })

  test('a fail or two of others is not enough doubt', () => {
    const loose = evidenceOf({ numerator: 1n, denominator: 20n })
    const { say } = site()
    for (const worker of ['a', 'c'])
      for (const by of ['one', 'two']) say('fail', worker, by, { evidence: loose })
    const crossed = Array.from({ length: 5 }, (_, i) => say('fail', 'b', `auditor ${i % 2}`)).flat()
    expect(crossed).toEqual(['b held', 'b suspended'])
  })

  test('a model that is upheld: what was set aside counts, in its order', () => {
    const { standings, say } = site()
    fails(say, ['a', 'b', 'c'], 5)
    expect(standings.isFrozen(MODEL)).toBe(true)
    const changes = thawModel(standings, MODEL, 'upheld')
    expect(changes.map(told)).toEqual(['a suspended', 'b suspended', 'c suspended'])
    expect(standings.isFrozen(MODEL)).toBe(false)
  })

  test('a model that is calibrated again: those that failed on it begin anew, and nobody else', () => {
    const { standings, say } = site()
    for (const auditor of ['one', 'two', 'one']) say('fail', 'other', auditor, { model: 'm/bb' })
    fails(say, ['a', 'b', 'c'], 5)
    const changes = thawModel(standings, MODEL, 'recalibrated')
    expect(changes.map(told)).toEqual(['a good', 'b good', 'c good'])
    expect(standings.recordOf('a')).toEqual(NO_RECORD)
    expect(standings.recordOf('other').fails).toHaveLength(3)
  })

  test('a suspension from before the freeze stands', () => {
    const { standings, say } = site()
    for (let i = 0; i < 5; i += 1) say('fail', 'early', `auditor ${i % 2}`)
    fails(say, ['a', 'b', 'c'], 5)
    thawModel(standings, MODEL, 'recalibrated')
    expect(isSuspended(standings, 'early')).toBe(true)
  })
})
