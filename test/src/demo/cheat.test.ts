import { expect, test } from 'vitest'
import { runDemo } from '../../../src/demo/run-demo.ts'

const DEMO_LIMIT_MS = 280_000

test(
  'a worker process that cheats loses what it had not been paid yet, the others get theirs, and anyone recomputes it',
  async () => {
    const { checks, workers } = await runDemo({ cheat: true, onEvent: () => undefined })
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['suspension', 'forfeit', 'others', 'audit log']),
    )
    expect(workers).toHaveLength(4)
  },
  DEMO_LIMIT_MS,
)
