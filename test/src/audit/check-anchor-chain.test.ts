import { beforeAll, describe, expect, test } from 'vitest'
import type { AnchorChainReader } from '../../../src/audit/anchor-chain-reader.ts'
import { CHECK_NAMES, type CheckName } from '../../../src/audit/anchor-chain-report.ts'
import { encodeAnchorsFile, parseAnchorsFile } from '../../../src/audit/anchors-file.ts'
import { checkAnchorChain, lastSealOf } from '../../../src/audit/check-anchor-chain.ts'
import { ORIGIN } from '../log/log-identity.ts'
import { atOne, type Chain, FIRST_SEAL, makeChain, type Plan, withAnchor } from './synthetic-chain.ts'

let honest: Chain
let taproot: Chain
beforeAll(async () => {
  honest = await makeChain()
  taproot = await makeChain({ method: 'taproot' })
})

describe('an honest chain of seals', () => {
  test.each(['dual', 'taproot'] as const)(
    'passes every check under %s, from genesis to its last seal',
    (method) => {
      const { file, reader } = method === 'dual' ? honest : taproot
      const report = checkAnchorChain(file, reader)
      expect(report.checks.map(({ name, ok }) => [name, ok])).toEqual(CHECK_NAMES.map((name) => [name, true]))
      expect(report).toMatchObject({
        ok: true,
        complete: true,
        break: null,
        origin: ORIGIN,
        network: 'regtest',
        method,
      })
      expect(report).toMatchObject({ anchors: 3, size: 300, height: 3, seal: lastSealOf(file) })
    },
  )

  test('may have two anchors in one block, in order', async () => {
    const { file, reader } = await makeChain({ heights: [2, 2, 5] })
    expect(checkAnchorChain(file, reader)).toMatchObject({ complete: true, height: 5 })
  })

  test('may be topped up by a second input', async () => {
    const { file, reader } = await makeChain({
      alter: atOne((t) => t.addInput(new Uint8Array(32).fill(1), 0)),
    })
    expect(checkAnchorChain(file, reader)).toMatchObject({ complete: true })
  })

  test('without an anchor yet leads to the seal that genesis names, and says what it did not check', async () => {
    const { file, reader } = await makeChain({ sizes: [] })
    const report = checkAnchorChain(file, reader)
    expect(report).toMatchObject({
      ok: true,
      complete: false,
      break: null,
      anchors: 0,
      size: null,
      height: null,
    })
    expect(report.seal).toEqual({ txid: FIRST_SEAL.txid, vout: FIRST_SEAL.vout })
    expect(lastSealOf(file)).toEqual(report.seal)
    const made = report.checks.filter(({ ok }) => ok === true).map(({ name }) => name)
    expect(made).toEqual(['genesis', 'log_genesis', 'log_key', 'last_seal'])
  })
})

test.each<[keyof AnchorChainReader, CheckName[]]>([
  ['headerAt', ['header_chain']],
  ['verifierKey', ['log_key']],
  ['log', ['log_genesis', 'append_only']],
  ['lastSealUnspent', ['last_seal']],
])('what only %s can show is not said without it', (key, unmade) => {
  const { [key]: _left, ...reader } = honest.reader
  const report = checkAnchorChain(honest.file, reader)
  expect(report).toMatchObject({ ok: true, complete: false, break: null })
  expect(report.checks.filter(({ ok }) => ok === null).map(({ name }) => name)).toEqual(unmade)
})

test('of several breaks the first on the way from genesis is named, and every check names its own', async () => {
  const alter: Plan['alter'] = (at, transaction) => {
    if (at > 0) transaction.outs.pop()
  }
  const { file, reader } = await makeChain({ alter })
  const lying = withAnchor(file, 0, { branch: { position: 9, siblings: [] } })
  const report = checkAnchorChain(lying, { ...reader, lastSealUnspent: false })
  expect(report.break).toMatchObject({ code: 'branch_mismatch', anchor: 0 })
  expect(report.checks.flatMap((one) => (one.break === null ? [] : [[one.name, one.break.anchor]]))).toEqual([
    ['commitment', 1],
    ['branch', 0],
    ['last_seal', null],
  ])
})

test.each(['dual', 'taproot'] as const)(
  'any changed byte of a %s file is malformed or breaks the chain',
  async (method) => {
    const { file, reader } = await makeChain({ method, sizes: [2, 3] })
    const bytes = encodeAnchorsFile(file)
    expect(checkAnchorChain(parseAnchorsFile(bytes), reader).ok).toBe(true)
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      expect(codeOf(changed, reader), `byte ${at}`).not.toBe('whole')
    }
  },
)

function codeOf(bytes: Uint8Array, reader: AnchorChainReader): string {
  try {
    return checkAnchorChain(parseAnchorsFile(bytes), reader).break?.code ?? 'whole'
  } catch (error) {
    expect(error).toMatchObject({ code: 'anchors_malformed' })
    return 'malformed'
  }
}
