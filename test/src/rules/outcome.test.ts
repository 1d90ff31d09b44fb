import { expect, test } from 'vitest'
import { isRefuted, outcomeOf } from '../../../src/rules/outcome.ts'

const STANDS = {
  canary: null,
  verdict: null,
  isSuspended: false,
  isAssigned: true,
  isRefunded: false,
  chargeMsat: 0n,
  isRepeated: false,
  isSampled: true,
}

test.each([
  ['no verdict in time', {}, 'operator_missed', false],
  ['a pass', { verdict: 'pass' }, 'pass', false],
  ['a pass of what the beacon left out', { verdict: 'pass', isSampled: false }, 'unsampled', false],
  ['no audit', { isSampled: false }, 'unsampled', false],
  ['an item that is taken', { isRepeated: true, isSampled: false }, 'repeated', false],
  [
    'a known answer, whatever was said of it',
    { canary: 'canary_passed', verdict: 'fail' },
    'canary_passed',
    false,
  ],
  ['another than the known answer', { canary: 'canary_failed', verdict: 'pass' }, 'canary_failed', false],
  ['a free request', { isAssigned: false, isRepeated: true }, 'unassigned', false],
  ['a request', { isAssigned: false, chargeMsat: 1n }, 'bought', false],
  ['a request that passes', { verdict: 'pass', isAssigned: false, chargeMsat: 1n }, 'bought', false],
  ['a request given back', { isAssigned: false, chargeMsat: 1n, isRefunded: true }, 'refunded', false],
  ['a free request given back', { isAssigned: false, isRefunded: true }, 'refunded', false],
  ['a request that fails', { verdict: 'fail', isAssigned: false, chargeMsat: 1n }, 'fail', true],
  ['a worker suspended since', { verdict: 'pass', isSuspended: true }, 'suspended', true],
  ['a request to a worker suspended since', { isSuspended: true, isAssigned: false }, 'suspended', true],
  ['a void of a worker suspended since', { verdict: 'void', isSuspended: true }, 'inconclusive', true],
  ['a fail of a worker suspended since', { verdict: 'fail', isSuspended: true }, 'fail', true],
] as const)('%s: %o is %s', (_, fate, outcome, refuted) => {
  expect(outcomeOf({ ...STANDS, ...fate })).toBe(outcome)
  expect(isRefuted(outcome)).toBe(refuted)
})
