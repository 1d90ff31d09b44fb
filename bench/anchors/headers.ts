import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { HEADER_BYTES, HeaderError, headerHash } from '../../anchor/block-header.ts'
import { checkHeaders } from '../../anchor/header-chain.ts'
import { type Network, networkOf } from '../../anchor/network.ts'
import { sideBySide } from '../measure.ts'
import { mineEvenly } from '../mine-evenly.ts'
import { type Row, rowOf } from '../row.ts'

/** Bitcoin's height in mid 2025. */
const HEADERS = 900_000
const MAX_RATIO = 4
/** A little slow, so that each retarget asks for an easier target, and the limit keeps it where it is. */
const SPACING_SECONDS = 601
const ROUNDS = 3

export async function* headers(): AsyncGenerator<Row> {
  // Regtest's easy blocks under mainnet's rules: every target is computed anew each 2,016 blocks.
  const network: Network = { ...networkOf('regtest'), retargets: true }
  const bytes = mineEvenly(HEADERS - 1, SPACING_SECONDS)
  const chain = checkHeaders(bytes, network, {})
  assert.equal(chain.tipHeight, HEADERS - 1)
  assert.equal(chain.tipHash, headerHash(bytes.subarray(-HEADER_BYTES)))
  const altered = bytes.with(bytes.length - HEADER_BYTES - 1, (bytes.at(-HEADER_BYTES - 1) ?? 0) ^ 1)
  assert.throws(() => checkHeaders(altered, network, {}), HeaderError)
  const { oursSeconds, baselineSeconds } = await sideBySide(
    () => checkHeaders(bytes, network, {}),
    () => {
      for (let at = 0; at < bytes.length; at += HEADER_BYTES) {
        hash('sha256', hash('sha256', bytes.subarray(at, at + HEADER_BYTES), 'buffer'), 'buffer')
      }
    },
    ROUNDS,
  )
  yield rowOf({
    name: `${HEADERS} headers checked, beside double SHA-256 of them`,
    value: oursSeconds,
    unit: 's',
    baseline: baselineSeconds,
    bar: { on: 'ratio', is: '≤', bound: MAX_RATIO },
  })
}
