import { describe, expect, it } from 'vitest'
import { compactOf, headerHash, targetOf } from '../../anchor/block-header.ts'
import { checkHeaderChain, checkHeaders } from '../../anchor/header-chain.ts'
import { type Network, networkOf } from '../../anchor/network.ts'
import { bitsWithin, retarget } from '../../anchor/retarget.ts'
import vectors from '../vectors/anchor-headers.json' with { type: 'json' }
import { EASY_BITS, type HeaderPlan, mineHeaders } from './mine-headers.ts'

const refusal = (code: string, height: number | null) =>
  expect.objectContaining({ name: 'HeaderError', code, height })

const mainnet = new Uint8Array(Buffer.from(vectors.headers.map(({ header }) => header).join(''), 'hex'))
const { genesisHeader } = networkOf('regtest')
const GENESIS_SECONDS = 1_296_688_602

function isBelowTarget(digest: Buffer, bits: number): boolean {
  return BigInt(`0x${Buffer.from(digest).reverse().toString('hex')}`) <= targetOf(bits)
}

/** Regtest blocks at these times, in seconds after genesis. */
function regtestAt(...seconds: number[]): Uint8Array {
  const plans = seconds.map((after) => ({ time: GENESIS_SECONDS + after, bits: EASY_BITS }))
  return mineHeaders(genesisHeader, plans, isBelowTarget)
}

describe('checkHeaderChain', () => {
  it('takes the first blocks of the main chain and answers for each', () => {
    const chain = checkHeaderChain(mainnet, 'mainnet')
    expect(chain).toMatchObject({ tipHeight: 2, tipHash: vectors.headers[2]?.hash, work: 3n * 0x100010001n })
    for (const { height, hash, header } of vectors.headers) {
      expect(chain.hashAt(height)).toBe(hash)
      expect(chain.heightOf(hash)).toBe(height)
      expect(Buffer.from(chain.headerAt(height)).toString('hex')).toBe(header)
    }
    for (const other of ['00'.repeat(32), 'no hash', '', vectors.headers[1]?.hash.slice(2) ?? '']) {
      expect(chain.heightOf(other)).toBe(null)
    }
    for (const height of [-1, 3]) {
      expect(() => chain.hashAt(height)).toThrow(/no header/)
      expect(() => chain.headerAt(height)).toThrow(/no header/)
    }
  })

  it('does not find a hash that lies across two others', () => {
    const chain = checkHeaderChain(mainnet, 'mainnet')
    const [first = '', second = ''] = [chain.hashAt(1), chain.hashAt(0)]
    expect(chain.heightOf((first + second).slice(32, 96))).toBe(null)
  })

  it('takes headers that lie inside a larger buffer', () => {
    const inside = Buffer.concat([Buffer.alloc(3), mainnet]).subarray(3)
    expect(checkHeaderChain(inside, 'mainnet').tipHeight).toBe(2)
  })

  it('refuses a chain with any bit flipped', () => {
    for (const at of mainnet.keys()) {
      const flipped = mainnet.with(at, (mainnet[at] ?? 0) ^ 1)
      expect(() => checkHeaderChain(flipped, 'mainnet')).toThrow(
        expect.objectContaining({ name: 'HeaderError' }),
      )
    }
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['half a header', mainnet.slice(0, 40)],
    ['a header and a byte', mainnet.slice(0, 81)],
  ])('refuses %s', (_, bytes) => {
    expect(() => checkHeaderChain(bytes, 'mainnet')).toThrow(refusal('header_truncated', null))
  })

  it("refuses another chain's genesis block", () => {
    expect(() => checkHeaderChain(mainnet, 'regtest')).toThrow(refusal('header_genesis', 0))
    expect(() => checkHeaderChain(mainnet, 'regtest')).toThrow(/of regtest, but of mainnet/)
    expect(() => checkHeaderChain(mainnet.slice(80), 'mainnet')).toThrow(refusal('header_genesis', 0))
  })

  it('refuses a header that names another one before it', () => {
    const gap = new Uint8Array([...mainnet.slice(0, 80), ...mainnet.slice(160)])
    expect(() => checkHeaderChain(gap, 'mainnet')).toThrow(refusal('header_unlinked', 1))
  })

  it('refuses a hash above its target', () => {
    const plans = [{ time: GENESIS_SECONDS + 1, bits: EASY_BITS }]
    const bytes = mineHeaders(genesisHeader, plans, (digest, bits) => !isBelowTarget(digest, bits))
    expect(() => checkHeaderChain(bytes, 'regtest')).toThrow(refusal('header_pow', 1))
  })

  it.each([
    ['harder', 0x2000ffff],
    ['easier', 0x2100ffff],
    ['malformed', 0x20ffffff],
  ])('refuses a %s target than the one due', (_, bits) => {
    const bytes = mineHeaders(genesisHeader, [{ time: GENESIS_SECONDS + 1, bits }], () => true)
    expect(() => checkHeaderChain(bytes, 'regtest')).toThrow(refusal('header_bits', 1))
  })

  it('takes a time after the median of the eleven before, and refuses the median itself', () => {
    const eleven = [30, 40, 50, 60, 70, 80, 90, 100, 110, 65, 120] // median 70
    const times = [10, 20, ...eleven]
    expect(checkHeaderChain(regtestAt(...times, 71), 'regtest').tipHeight).toBe(14)
    expect(() => checkHeaderChain(regtestAt(...times, 70), 'regtest')).toThrow(refusal('header_time', 14))
  })

  it.each([
    [[0], 1], // genesis alone: its own time is the median
    [[5, 5], 2], // of two, Bitcoin Core takes the later one
    [[5, 9, 5], 3],
  ])('refuses block times %o where fewer than eleven came before', (seconds, height) => {
    expect(() => checkHeaderChain(regtestAt(...seconds), 'regtest')).toThrow(refusal('header_time', height))
  })

  it('refuses a chain without a pinned block, or with another one in its place', () => {
    const bytes = regtestAt(1, 2, 3)
    const chain = checkHeaderChain(bytes, 'regtest')
    const pin = (height: number, hash: string) => ({ pinned: [{ height, hash }] })
    expect(checkHeaderChain(bytes, 'regtest', pin(2, chain.hashAt(2))).tipHash).toBe(chain.tipHash)
    for (const [height, hash] of [
      [2, chain.hashAt(1)],
      [1, chain.hashAt(2)],
      [2, '00'.repeat(32)],
      [9, chain.tipHash],
    ] as const) {
      expect(() => checkHeaderChain(bytes, 'regtest', pin(height, hash))).toThrow(
        refusal('header_pinned', height),
      )
    }
  })

  it('starts above genesis only from a pinned block', () => {
    // Block 5 lies far ahead: without the blocks below, block 6 must not be judged by the median of it alone.
    const bytes = regtestAt(...Array.from({ length: 20 }, (_, i) => (i === 4 ? 1_000 : i + 1)))
    const whole = checkHeaderChain(bytes, 'regtest')
    const part = bytes.slice(5 * 80)
    const pinned = [{ height: 5, hash: whole.hashAt(5) }]
    const chain = checkHeaderChain(part, 'regtest', { startHeight: 5, pinned })
    expect(chain).toMatchObject({ tipHeight: 20, tipHash: whole.tipHash, work: 16n * 2n })
    expect(chain.hashAt(9)).toBe(whole.hashAt(9))
    expect(chain.heightOf(whole.hashAt(9))).toBe(9)
    expect(chain.heightOf(whole.hashAt(4))).toBe(null)
    expect(() => chain.hashAt(4)).toThrow(/no header/)

    expect(() => checkHeaderChain(part, 'regtest', { startHeight: 5 })).toThrow(refusal('header_start', 5))
    const elsewhere = [{ height: 6, hash: whole.hashAt(5) }]
    expect(() =>
      checkHeaderChain(part, 'regtest', { startHeight: 6, pinned: [...pinned, ...elsewhere] }),
    ).toThrow(refusal('header_pinned', 5))
    const wrong = [{ height: 5, hash: whole.hashAt(6) }]
    expect(() => checkHeaderChain(part, 'regtest', { startHeight: 5, pinned: wrong })).toThrow(
      refusal('header_pinned', 5),
    )
    expect(() => checkHeaderChain(part, 'mainnet', { startHeight: 5, pinned })).toThrow(
      refusal('header_start', 5),
    )
  })
})

describe('retarget', () => {
  it.each(vectors.retargets)('$what: $bits to $next', ({ firstTime, lastTime, bits, next }) => {
    const result = retarget(networkOf('mainnet'), Number.parseInt(bits, 16), firstTime, lastTime)
    expect(result.toString(16)).toBe(next)
  })

  it('never moves on regtest', () => {
    expect(retarget(networkOf('regtest'), EASY_BITS, 0, 1)).toBe(EASY_BITS)
  })
})

describe('bitsWithin', () => {
  it('asks for the least difficulty more than 20 minutes after the last block on testnet4 alone (BIP-94)', () => {
    expect(bitsWithin(networkOf('testnet4'), 0x1c0168fd, 100, 1_300)).toBe(0x1c0168fd)
    expect(bitsWithin(networkOf('testnet4'), 0x1c0168fd, 100, 1_301)).toBe(0x1d00ffff)
    expect(bitsWithin(networkOf('mainnet'), 0x1c0168fd, 100, 9_999)).toBe(0x1c0168fd)
  })
})

describe('a chain over several periods', () => {
  /** Easy enough to mine here, with the rules of the main chain or of testnet4. */
  const rules = (bip94: boolean): Network => ({ ...networkOf('regtest'), retargets: true, bip94 })
  const FAST_SECONDS = 300

  /** Blocks 1 … count, five minutes apart, with the target halved at each period. */
  function fastPlans(count: number): HeaderPlan[] {
    const plans: HeaderPlan[] = []
    let [firstTime, bits] = [GENESIS_SECONDS, EASY_BITS]
    for (let height = 1; height <= count; height++) {
      const time = GENESIS_SECONDS + height * FAST_SECONDS
      if (height % 2016 === 0) {
        const seconds = BigInt(time - FAST_SECONDS - firstTime)
        bits = compactOf((targetOf(bits) * seconds) / 1_209_600n)
        firstTime = time
      }
      plans.push({ time, bits })
    }
    return plans
  }

  const plans = fastPlans(4_100)
  const bytes = mineHeaders(genesisHeader, plans, isBelowTarget)

  it('is taken when the target follows the time that blocks took', () => {
    const chain = checkHeaders(bytes, rules(false), {})
    expect(chain.tipHash).toBe(headerHash(bytes.slice(-80)))
    expect(new Set(plans.map(({ bits }) => bits)).size).toBe(3)
    expect(chain.work).toBeGreaterThan(4_100n * 3n)
    const pinned = [{ height: 2016, hash: chain.hashAt(2016) }]
    const upper = checkHeaders(bytes.slice(2016 * 80), rules(false), { startHeight: 2016, pinned })
    expect(upper.tipHash).toBe(chain.tipHash)
  })

  it('is refused when the target stays, or follows another chain', () => {
    const kept = mineHeaders(
      bytes.slice(0, 80),
      plans.slice(0, 2016).map(({ time }) => ({ time, bits: EASY_BITS })),
      isBelowTarget,
    )
    expect(() => checkHeaders(kept, rules(false), {})).toThrow(refusal('header_bits', 2016))
    expect(checkHeaders(kept, networkOf('regtest'), {}).tipHeight).toBe(2016)
    expect(() => checkHeaders(bytes, networkOf('regtest'), {})).toThrow(refusal('header_bits', 2016))
  })

  it('under BIP-94: late blocks have the least difficulty, others and the next period do not', () => {
    const hard = plans[2015]?.bits ?? 0
    const start = plans.slice(0, 2016)
    const blockAfter = (seconds: number, bits: number) => ({
      time: (start.at(-1)?.time ?? 0) + seconds,
      bits,
    })
    const mined = (...more: HeaderPlan[]) => mineHeaders(genesisHeader, [...start, ...more], isBelowTarget)
    const late = blockAfter(1_201, EASY_BITS)
    expect(checkHeaders(mined(late, blockAfter(1_500, hard)), rules(true), {}).tipHeight).toBe(2018)
    expect(() => checkHeaders(mined(late, blockAfter(1_500, EASY_BITS)), rules(true), {})).toThrow(
      refusal('header_bits', 2018),
    )
    expect(() => checkHeaders(mined(blockAfter(1_200, EASY_BITS)), rules(true), {})).toThrow(
      refusal('header_bits', 2017),
    )
    expect(() => checkHeaders(mined(blockAfter(1_201, hard)), rules(true), {})).toThrow(
      refusal('header_bits', 2017),
    )
    expect(() => checkHeaders(mined(late), rules(false), {})).toThrow(refusal('header_bits', 2017))
  })

  it('under BIP-94: a period may begin ten minutes back in time, not a second more', () => {
    const before = plans.slice(0, 2015)
    const previous = before.at(-1)?.time ?? 0
    const bits = plans[2015]?.bits ?? 0
    const mined = (back: number) =>
      mineHeaders(genesisHeader, [...before, { time: previous - back, bits }], isBelowTarget)
    expect(checkHeaders(mined(600), rules(true), {}).tipHeight).toBe(2016)
    expect(() => checkHeaders(mined(601), rules(true), {})).toThrow(refusal('header_time', 2016))
    expect(checkHeaders(mined(601), rules(false), {}).tipHeight).toBe(2016)
  })
})
