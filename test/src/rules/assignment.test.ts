import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignItem } from '../../../src/rules/assignment.ts'
import { firstForSubject, rankForSubject } from '../../../src/rules/rendezvous.ts'

const beacon = Buffer.alloc(32, 0xbe)
const workers = Array.from({ length: 9 }, (_, i) => Buffer.alloc(32, i + 1))

function itemOf(index: number): Uint8Array {
  return hash('sha256', `item ${index}`, 'buffer')
}

test('the highest H(beacon ‖ subnet ‖ item ‖ worker) gets the item', () => {
  for (let index = 0; index < 20; index++) {
    const item = itemOf(index)
    const draws = workers.map((worker) =>
      hash('sha256', Buffer.concat([beacon, Buffer.from('digits'), item, worker]), 'hex'),
    )
    const winner = workers[draws.indexOf(draws.toSorted().at(-1) ?? '')]
    expect(assignItem({ beacon, subnet: 'digits', item, workers })).toEqual(winner)
  }
})

test('a worker that leaves moves only its own items, and one that joins takes only what it gets', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(workers.length - 1), (index, leaver) => {
      const all = assignItem({ beacon, subnet: 'digits', item: itemOf(index), workers })
      const rest = workers.filter((_, i) => i !== leaver)
      const after = assignItem({ beacon, subnet: 'digits', item: itemOf(index), workers: rest })
      if (all?.[0] === workers[leaver]?.[0]) expect(after?.[0]).not.toBe(all?.[0])
      else expect(after).toEqual(all)
    }),
  )
})

test('every worker gets a share; beacon and subnet deal anew', () => {
  const deal = (b: Uint8Array, subnet: string) =>
    Array.from(
      { length: 900 },
      (_, i) => assignItem({ beacon: b, subnet, item: itemOf(i), workers })?.[0] ?? -1,
    )
  const dealt = deal(beacon, 'digits')
  const counts = Map.groupBy(dealt, (worker) => worker)
  expect(counts.size).toBe(9)
  expect(Math.min(...[...counts.values()].map((items) => items.length))).toBeGreaterThan(50)
  expect(deal(Buffer.alloc(32, 1), 'digits')).not.toEqual(dealt)
  expect(deal(beacon, 'letters')).not.toEqual(dealt)
})

test('the first of a ranking is the first, in whatever order keys are listed', () => {
  const keys = fc.uniqueArray(fc.uint8Array({ minLength: 32, maxLength: 32 }), {
    selector: (key) => Buffer.from(key).toString('hex'),
    maxLength: 20,
  })
  fc.assert(
    fc.property(fc.uint8Array(), keys, (subject, some) => {
      expect(firstForSubject(subject, some)).toEqual(rankForSubject(subject, some)[0] ?? null)
      expect(firstForSubject(subject, some.toReversed())).toEqual(firstForSubject(subject, some))
    }),
  )
})

test('without workers nobody is assigned', () => {
  expect(assignItem({ beacon, subnet: 'digits', item: itemOf(0), workers: [] })).toBeNull()
})

test('parts of another length are bugs: they could make two assignments share a preimage', () => {
  const assignment = { beacon, subnet: 'digits', item: itemOf(0), workers }
  expect(() => assignItem({ ...assignment, beacon: Buffer.alloc(33) })).toThrow('beacon')
  expect(() => assignItem({ ...assignment, item: Buffer.alloc(31) })).toThrow('item')
  expect(() => assignItem({ ...assignment, workers: [Buffer.alloc(31)] })).toThrow('key')
})
