import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_SUSPICION, observe, observePasses, type Suspicion, standingOf } from '../../../src/rules/cusum.ts'
import { evidenceOf } from '../../../src/rules/cusum-evidence.ts'

const NATS_16 = 16n << 32n

/** Hand-sized: a pass takes 1 nat, a fail adds 4. */
const evidence = { pass: 1n << 32n, fail: 4n << 32n }

/** P: pass, F and G: failed by two different auditors, ?: inconclusive. */
function after(history: string, start: Suspicion = NO_SUSPICION): Suspicion {
  return [...history].reduce((suspicion, letter) => {
    const verdict = letter === 'P' ? 'pass' : letter === '?' ? 'inconclusive' : 'fail'
    return observe(suspicion, { verdict, auditor: letter, evidence })
  }, start)
}

test.each([
  ['nothing yet', '', 0n, 'good'],
  ['any number of passes', 'PPPPPPPP', 0n, 'good'],
  ['one fail', 'F', 4n, 'good'],
  ['a fail and passes that outweigh it', 'FPPPPP', 0n, 'good'],
  ['one nat less than half the threshold', 'FFP', 7n, 'good'],
  ['half the threshold', 'FF', 8n, 'held'],
  ['half the threshold after ten passes, which give no credit', 'PPPPPPPPPPFG', 8n, 'held'],
  ['a held worker that passes again', 'FGP', 7n, 'good'],
  ['one nat less than the threshold', 'FGFPG', 15n, 'held'],
  ['the threshold by two auditors', 'FFFG', 16n, 'suspended'],
  ['the threshold by one auditor alone', 'FFFFFFFF', 16n, 'held'],
  ['the second auditor at last', 'FFFFFFFFG', 16n, 'suspended'],
  ['one auditor, outlived by nine passes', 'FFFFFFFFPPPPPPPPP', 7n, 'good'],
  ['another auditor whose fail was outlived before', 'GPPPPFFFF', 16n, 'held'],
  ['inconclusive audits, which say nothing', '?F?F??', 8n, 'held'],
  ['passes after a suspension, which lasts', 'FFFGPPPPPPPPPPPPPPPPPP', 16n, 'suspended'],
])('%s: %s gives %s nats, %s', (_, history, nats, standing) => {
  const suspicion = after(history)
  expect(suspicion.score).toBe(nats << 32n)
  expect(standingOf(suspicion)).toBe(standing)
})

test('a worker that returns begins with nothing against it', () => {
  expect(standingOf(after('FFFG'))).toBe('suspended')
  expect(after('PF', NO_SUSPICION)).toEqual({ score: 4n << 32n, failedBy: ['F'] })
})

test('at p0 = 0.3 % three fails hold and five of two auditors suspend', () => {
  const real = evidenceOf({ numerator: 3n, denominator: 1_000n })
  const standings = [0, 1, 2, 3, 4].map((last) => {
    let suspicion = NO_SUSPICION
    for (let index = 0; index <= last; index++) {
      suspicion = observe(suspicion, { verdict: 'fail', auditor: `a${index % 2}`, evidence: real })
    }
    return standingOf(suspicion)
  })
  expect(standings).toEqual(['good', 'good', 'held', 'held', 'suspended'])
})

const histories = fc
  .array(fc.constantFrom('P', 'F', 'G', '?'), { maxLength: 60 })
  .map((letters) => letters.join(''))

test('whole runs of passes count as one after the other', () => {
  fc.assert(
    fc.property(histories, fc.nat(30), (history, count) => {
      const before = after(history)
      expect(observePasses(before, evidence, count)).toEqual(after('P'.repeat(count), before))
    }),
  )
})

test('a fail in the place of a pass never lowers the score, nor betters the standing', () => {
  const severity = { good: 0, held: 1, suspended: 2 }
  fc.assert(
    fc.property(histories, histories, (before, later) => {
      const passed = after(`${before}P${later}`)
      const failed = after(`${before}F${later}`)
      expect(failed.score >= passed.score).toBe(true)
      expect(severity[standingOf(failed)]).toBeGreaterThanOrEqual(severity[standingOf(passed)])
    }),
  )
})

test('the score stays between 0 and the threshold and the record small', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { score, failedBy } = after(history)
      expect(score >= 0n && score <= NATS_16).toBe(true)
      expect(failedBy.length).toBeLessThanOrEqual(2)
      expect(new Set(failedBy).size).toBe(failedBy.length)
      if (score === 0n) expect(failedBy).toEqual([])
    }),
  )
})

test('is exact however small the steps: a million passes of one unit take a million units', () => {
  const tiny = { pass: 1n, fail: NATS_16 - 1n }
  const failed = observe(NO_SUSPICION, { verdict: 'fail', auditor: 'F', evidence: tiny })
  expect(observePasses(failed, tiny, 1_000_000).score).toBe(NATS_16 - 1_000_001n)
})

test.each([-1, 1.5, 2 ** 53])('%s passes are a bug', (count) => {
  expect(() => observePasses(after('F'), evidence, count)).toThrow('counted')
})
