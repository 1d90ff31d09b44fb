import { describe, expect, test } from 'vitest'
import { AUDIT_ROUNDS, auditorOfRound } from '../../../src/rules/audit-rounds.ts'
import { drawAuditor } from '../../../src/rules/sampling.ts'

const key = (i: number) => new Uint8Array(32).fill(i)
const operator = key(200)
const LAST = AUDIT_ROUNDS - 1

function drawn(index: number, round: number, candidates: Uint8Array[]) {
  const draw = { beacon: key(9), submissionId: key(8), index, round, candidates }
  return { fair: drawAuditor(draw), actual: auditorOfRound({ ...draw, operator }) }
}

describe('the auditor of a round', () => {
  const strangers = Array.from({ length: 40 }, (_, i) => key(10 + i))

  test('is the one that the beacon draws, but for the last round', () => {
    for (let index = 0; index < 20; index += 1) {
      for (let round = 0; round < LAST; round += 1) {
        const { fair, actual } = drawn(index, round, [...strangers, operator])
        expect(actual).toEqual(fair)
      }
    }
  })

  test("is the operator's own in the last, however many keys a stranger has made", () => {
    for (let index = 0; index < 20; index += 1) {
      const rounds = [0, 1, LAST].map((round) => drawn(index, round, [...strangers, operator]).actual)
      expect(rounds).toContainEqual(operator)
    }
  })

  test('is not the operator whose key is no candidate', () => {
    const absent = drawn(0, LAST, strangers)
    expect(absent.actual).toEqual(absent.fair)
  })

  test('is nobody twice', () => {
    for (let index = 0; index < 50; index += 1) {
      const rounds = [0, 1, LAST].map((round) =>
        Buffer.from(drawn(index, round, [key(3), key(4), operator]).actual ?? []).toString('hex'),
      )
      expect(new Set(rounds).size).toBe(3)
    }
  })
})
