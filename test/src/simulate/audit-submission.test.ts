import { expect, test } from 'vitest'
import { NO_SUSPICION, standingOf } from '../../../src/rules/cusum.ts'
import { evidenceOf } from '../../../src/rules/cusum-evidence.ts'
import { auditSubmission } from '../../../src/simulate/audit-submission.ts'
import { AUDITORS, named, P0 } from '../../../src/simulate/setting.ts'

const ALWAYS = { numerator: 1n, denominator: 1n }
const submission = {
  beacon: named('beacon'),
  submissionId: named('submission'),
  receipts: 200,
  cheatShare: 1,
  rate: ALWAYS,
}
const strangers = { detection: 1, bribedAuditors: 0 }
/** Below every share above 0: whatever may happen does. */
const always = () => 0

const audit = (changes: Partial<typeof submission>, auditors = strangers, random = always) =>
  auditSubmission({ ...submission, ...changes }, NO_SUSPICION, evidenceOf(P0), auditors, random)

test('garbage that is always audited is suspended at the fifth fail, and nothing is audited after', () => {
  const audited = audit({})
  expect(audited).toMatchObject({ pass: 0, fail: 5, unsampled: 195, cheated: 200 })
  expect(standingOf(audited.suspicion)).toBe('suspended')
})

test('what is not drawn is not audited', () => {
  const audited = audit({ rate: { numerator: 0n, denominator: 1n } })
  expect(audited).toMatchObject({ pass: 0, fail: 0, unsampled: 200, suspicion: NO_SUSPICION })
})

test('auditors that all look away let everything pass', () => {
  const audited = audit({}, { detection: 1, bribedAuditors: AUDITORS.length })
  expect(audited).toMatchObject({ pass: 200, fail: 0 })
})

test('a cheat that no comparison sees passes', () => {
  expect(audit({}, { detection: 0, bribedAuditors: 0 })).toMatchObject({ pass: 200, fail: 0, cheated: 200 })
})

test('honest work fails only as rarely as it was calibrated', () => {
  const lucky = () => 0.0031
  expect(audit({ cheatShare: 0 }, strangers, lucky)).toMatchObject({ pass: 200, fail: 0, cheated: 0 })
  const unlucky = () => 0.0029
  expect(audit({ cheatShare: 0 }, strangers, unlucky)).toMatchObject({ fail: 5, cheated: 0 })
})

test('every receipt has one fate', () => {
  const { pass, fail, unsampled } = audit(
    { rate: { numerator: 1n, denominator: 2n }, cheatShare: 0 },
    strangers,
    () => 0.5,
  )
  expect(pass + fail + unsampled).toBe(200)
  expect(pass).toBeGreaterThan(60)
  expect(unsampled).toBeGreaterThan(60)
})
