import { expect, test } from 'vitest'
import { takeClaim, takeWithdrawn } from '../../../compute/runtime/claim.ts'

function taken(number: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(number)
}

const begin = { main: takeClaim, watch: takeWithdrawn }

test.each<[string, number, [keyof typeof begin, number, boolean][]]>([
  [
    'each request is begun once',
    0,
    [
      ['main', 1, true],
      ['main', 2, true],
    ],
  ],
  [
    'what is withdrawn in time is not begun',
    1,
    [
      ['watch', 2, true],
      ['main', 2, false],
    ],
  ],
  [
    'what has begun is not given back',
    4,
    [
      ['main', 5, true],
      ['watch', 5, false],
    ],
  ],
  [
    'nor is what has ended',
    4,
    [
      ['main', 5, true],
      ['main', 6, true],
      ['watch', 5, false],
    ],
  ],
  [
    'a second word for one number gives nothing back',
    4,
    [
      ['watch', 5, true],
      ['watch', 5, false],
    ],
  ],
  [
    'behind a withdrawn one, the next is begun',
    1,
    [
      ['watch', 2, true],
      ['main', 2, false],
      ['main', 3, true],
    ],
  ],
  [
    'or withdrawn',
    1,
    [
      ['watch', 2, true],
      ['watch', 3, true],
      ['main', 2, false],
      ['main', 3, false],
      ['main', 4, true],
    ],
  ],
  [
    '0 follows 255',
    254,
    [
      ['main', 255, true],
      ['watch', 0, true],
      ['main', 0, false],
      ['main', 1, true],
    ],
  ],
  [
    '255 is given back once',
    254,
    [
      ['watch', 255, true],
      ['main', 255, false],
      ['watch', 255, false],
      ['main', 0, true],
    ],
  ],
])('%s', async (_what, before, steps) => {
  const newest = taken(before)
  for (const [thread, number, won] of steps) {
    expect(await begin[thread](newest, number), `${thread} ${number}`).toBe(won)
  }
})

test.each([
  [0, 1, 2],
  [254, 255, 0],
  [255, 0, 1],
])(
  'while the request before it is on its way, one is not given back: after %i, %i, then %i',
  async (before, first, second) => {
    const newest = taken(before)
    const withdrawn = takeWithdrawn(newest, second)
    expect(takeClaim(newest, first)).toBe(true)
    expect(await withdrawn).toBe(true)
    expect(takeClaim(newest, second)).toBe(false)
  },
)
