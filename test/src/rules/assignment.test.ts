import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hex } from '../../../compute/work/hex.ts'
import { assignItem, drawnAmong, fieldOf } from '../../../src/rules/assignment.ts'
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

describe('an epoch divides its items', () => {
  const keys = fc.uniqueArray(
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key) => Buffer.from(key)),
    { selector: hex, minLength: 1, maxLength: 20 },
  )
  const world = fc.record({
    active: keys,
    idle: keys,
    first: fc.nat(),
    count: fc.integer({ min: 1, max: 80 }),
    beacon: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  type World = typeof world extends fc.Arbitrary<infer T> ? T : never

  /** To whom every item of a row goes, in hex, where only `active` have earned. */
  function deal({ active, idle, first, count, beacon: by }: World): string[] {
    const field = fieldOf([...active, ...idle], new Set(active.map(hex)))
    return Array.from({ length: count }, (_, i) => {
      const drawn = drawnAmong(field, by, first + i)
      return hex(
        assignItem({ beacon: by, subnet: 'digits', item: itemOf(first + i), workers: drawn }) ?? Buffer.of(),
      )
    })
  }

  /** No key is both. */
  function both(check: (one: World, active: Set<string>, idle: Set<string>) => void): void {
    fc.assert(
      fc.property(world, (one) => {
        const active = new Set(one.active.map(hex))
        const idle = one.idle.filter((key) => !active.has(hex(key)))
        check({ ...one, idle }, active, new Set(idle.map(hex)))
      }),
    )
  }

  test('each goes to one key, and however many never work take one in sixteen', () => {
    both((one, active, idle) => {
      const dealt = deal(one)
      const taken = dealt.filter((key) => idle.has(key)).length
      expect(taken + dealt.filter((key) => active.has(key)).length).toBe(one.count)
      expect(taken).toBeLessThanOrEqual(Math.ceil(one.count / 16))
    })
  })

  test('the only newcomer gets one of any sixteen in a row', () => {
    both((one, _, [newcomer]) => {
      if (newcomer === undefined) return
      const only = [Buffer.from(newcomer, 'hex')]
      const dealt = deal({ ...one, idle: only, count: 16 })
      expect(dealt.filter((key) => key === newcomer)).toHaveLength(1)
    })
  })

  test('whom the beacon draws of those at work is the same beside any number of idle keys', () => {
    both((one, active) => {
      const alone = deal({ ...one, idle: [] })
      for (const [i, key] of deal(one).entries()) if (active.has(key)) expect(key).toBe(alone[i])
    })
  })

  test('among all alike where nobody has worked yet, or everybody has', () => {
    both((one) => {
      const { active, idle, beacon: by, first } = one
      const all = [...active, ...idle]
      expect(drawnAmong(fieldOf(all, new Set()), by, first)).toEqual(all)
      expect(drawnAmong(fieldOf(all, new Set(all.map(hex))), by, first)).toEqual(all)
    })
  })

  test('the beacon says which are the newcomers', () => {
    const [first = Buffer.of(), ...others] = workers
    const field = fieldOf(workers, new Set([hex(first)]))
    const newcomers = (offset: number) =>
      Array.from({ length: 32 }, (_, number) => number).filter(
        (number) => drawnAmong(field, Buffer.alloc(32, offset), number) !== field.atWork,
      )
    expect(field).toEqual({ atWork: [first], newcomers: others })
    expect(newcomers(0)).toEqual([0, 16])
    expect(newcomers(0xfd)).toEqual([3, 19])
  })
})
