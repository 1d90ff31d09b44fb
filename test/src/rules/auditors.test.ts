import { describe, expect, test } from 'vitest'
import { AUDIT_ROUNDS, auditorOfRound } from '../../../src/rules/audit-rounds.ts'
import {
  type Admission,
  admissionRefusal,
  auditorsAt,
  auditorsOf,
  MAX_AUDITORS,
} from '../../../src/rules/auditors.ts'

const auditor = (i: number, address = `address of ${i}`) => {
  const key = Buffer.alloc(32)
  key.writeUInt32BE(i)
  return { key, address }
}
const admission = (entry: number, i: number, isAdmitted = true): Admission => ({
  entry,
  worker: auditor(i),
  isAdmitted,
})
const operator = auditor(200)

describe('who audits by the first entries of a log', () => {
  const admissions = [admission(5, 1), admission(7, 2), admission(9, 1, false), admission(12, 1)]

  test.each([
    [5, []],
    [6, [1]],
    [8, [1, 2]],
    [10, [2]],
    [12, [2]],
    [13, [2, 1]],
  ])('%i of them', (size, expected) => {
    const keys = auditorsAt(admissions, { size, operator: null }).map(({ key }) => key)
    expect(keys).toEqual(expected.map((i) => auditor(i).key))
  })

  test('is the operator in any case, if its auditor is registered', () => {
    expect(auditorsAt([], { size: 3, operator })).toEqual([operator])
  })
})

describe('who may audit an author', () => {
  const auditors = [auditor(1), auditor(2, 'shared'), auditor(3), operator]

  test('is neither the author nor who is paid at its address', () => {
    const own = auditorsOf(auditor(1), { auditors, operator: operator.key })
    expect(own).toEqual([auditor(2).key, auditor(3).key, operator.key])
    const shared = auditorsOf(auditor(9, 'shared'), { auditors, operator: operator.key })
    expect(shared).toEqual([auditor(1).key, auditor(3).key, operator.key])
  })

  test('is the operator all the same for whoever registers with its address, and never for itself', () => {
    const copied = auditorsOf(auditor(9, operator.address), { auditors, operator: operator.key })
    expect(copied).toContainEqual(operator.key)
    expect(auditorsOf(operator, { auditors, operator: operator.key })).not.toContainEqual(operator.key)
  })
})

test('10,000 registered keys that nobody has admitted draw nothing', () => {
  const flood = new Set(Array.from({ length: 10_000 }, (_, i) => auditor(1_000 + i).key.toString('hex')))
  const admissions = [admission(10_001, 1), admission(10_002, 2)]
  const auditors = auditorsAt(admissions, { size: 20_000, operator })
  const [author] = flood
  const candidates = auditorsOf(
    { key: Buffer.from(author ?? '', 'hex'), address: 'of the flood' },
    { auditors, operator: operator.key },
  )
  const beacon = Buffer.alloc(32, 7)
  const drawn = Array.from({ length: 1_000 }, (_, index) =>
    Array.from({ length: AUDIT_ROUNDS }, (_, round) =>
      auditorOfRound({
        beacon,
        submissionId: beacon,
        index,
        round,
        candidates,
        operator: operator.key,
      }),
    ),
  ).flat()
  expect(drawn.filter((key) => key === null || flood.has(Buffer.from(key).toString('hex')))).toEqual([])
})

describe('an admission is refused', () => {
  const admissions = [admission(5, 1)]
  const asked = (worker: ReturnType<typeof auditor> | null, isAdmitted: boolean) =>
    admissionRefusal(admissions, { worker, isAdmitted, operator: operator.key })

  test.each([
    ['of a key that is not registered', null, true, 'worker_unknown'],
    ['of the auditor that genesis names', operator, true, 'auditor_of_genesis'],
    ['of the auditor that genesis names, to be withdrawn', operator, false, 'auditor_of_genesis'],
    ['of one that is admitted', auditor(1), true, 'auditor_status_same'],
    ['of one to be withdrawn that is not admitted', auditor(2), false, 'auditor_status_same'],
    ['never of another', auditor(2), true, null],
    ['never of one that is to be withdrawn', auditor(1), false, null],
  ])('%s', (_what, worker, isAdmitted, expected) => {
    expect(asked(worker, isAdmitted)).toBe(expected)
  })

  test('when there are as many as one draw may rank', () => {
    const many = Array.from({ length: MAX_AUDITORS }, (_, i) => admission(i, i + 1_000))
    const full = { worker: auditor(1), isAdmitted: true, operator: operator.key }
    expect(admissionRefusal(many, full)).toBe('auditors_full')
    expect(admissionRefusal(many.slice(1), full)).toBeNull()
    expect(admissionRefusal([...many, admission(2_000, 1_000, false)], full)).toBeNull()
  })
})
