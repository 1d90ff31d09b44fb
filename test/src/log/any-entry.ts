import fc from 'fast-check'
import { NETWORK_NAMES } from '../../../anchor/network.ts'
import type { Entry } from '../../../src/log/entry.ts'

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const bytes32 = bytesOf(32)
const bytes64 = bytesOf(64)
const someBytes = fc.uint8Array({ maxLength: 600 })
const int = fc.maxSafeNat()
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const blocks = fc.integer({ min: 1, max: 0xffff_ffff })
const money = fc.bigInt(0n, 2n ** 63n - 1n)
const text = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 90 })
const coin = fc.record({ txid: bytes32, vout: uint32, sats: money })
const fail = fc.record({ entry: int, receipt: bytes32 })
const evidence = fc.array(fail, { maxLength: 3 })
const someEvidence = fc.array(fail, { minLength: 1, maxLength: 3 })
const name = fc.stringMatching(/^[a-z0-9-]{1,64}$/)
const requester = name.filter((one) => one !== 'anonymous')
const v = fc.constant(1 as const)
const kind = <K extends string>(name: K) => fc.constant(name)

/** Every kind and subject of entry, in its whole range. */
export const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    v,
    kind: kind('genesis'),
    network: fc.constantFrom(...NETWORK_NAMES),
    method: fc.constantFrom('dual' as const, 'taproot' as const),
    origin: fc.stringMatching(/^[a-z./-]{1,255}$/),
    internalKey: bytes32,
    logKey: bytes32,
    auditor: bytes32,
    treasury: text,
    seal: coin,
    epoch: fc.record({
      startHeight: uint32,
      blocks: blocks,
      verdictBlocks: blocks,
      finalDepth: blocks,
      beaconDelay: blocks,
      maturityBlocks: blocks,
      auditRoundBlocks: blocks,
      suspensionBlocks: blocks,
    }),
    subsidy: fc.record({ initialMsat: money, halvingEpochs: positive, capMsat: money }),
    auditBasisPoints: fc.integer({ min: 0, max: 500 }),
    feeReserveSats: money,
    succeeds: fc.option(
      fc.record({
        logKey: bytes32,
        checkpoint: text,
        anchor: fc.record({ index: uint32, txid: bytes32, height: int }),
        balances: bytes32,
      }),
    ),
  }),
  fc.record({ v, kind: kind('subnet'), name, definition: bytes32 }),
  fc.record({ v, kind: kind('price'), subnet: name, epoch: int, msat: money, unserved: money }),
  fc.record({ v, kind: kind('requester'), requester, address: text, refund: text }),
  fc.record({ v, kind: kind('refund'), count: positive, jobs: bytes32 }),
  fc.record({
    v,
    kind: kind('worker'),
    worker: bytes32,
    address: text,
    thresholdSats: money,
    signature: bytes64,
  }),
  fc.record({
    v,
    kind: kind('address'),
    worker: bytes32,
    address: text,
    thresholdSats: money,
    replaces: int,
    expiryHeight: int,
    signature: fc.uint8Array({ maxLength: 128 }),
  }),
  fc.record({
    v,
    kind: kind('deposit'),
    account: text,
    height: int,
    txid: bytes32,
    vout: uint32,
    sats: money,
  }),
  fc.record({ v, kind: kind('budget'), epoch: int, msat: money }),
  fc.record({
    v,
    kind: kind('jobs'),
    worker: bytes32,
    epoch: int,
    leasedMs: int,
    count: positive,
    root: bytes32,
    jobs: bytes32,
  }),
  fc.record({ v, kind: kind('submission'), header: someBytes, signature: bytes64, receipts: bytes32 }),
  fc.record({ v, kind: kind('audit'), auditor: bytes32, commitments: someBytes, signature: bytes64 }),
  fc.record({ v, kind: kind('verdict'), verdicts: bytes32, count: positive }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('epoch' as const),
    epoch: int,
    status: fc.constant('matured' as const),
    height: int,
  }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('auditor' as const),
    worker: bytes32,
    status: fc.constantFrom('admitted' as const, 'withdrawn' as const),
    reason: text,
  }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('inheritance' as const),
    status: fc.constant('matured' as const),
    height: int,
  }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('worker' as const),
    worker: bytes32,
    status: fc.constantFrom('good' as const, 'held' as const, 'suspended' as const, 'returned' as const),
    score: int,
    evidence,
    height: fc.option(int),
  }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('model' as const),
    subnet: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
    model: bytes32,
    status: fc.constantFrom('frozen' as const, 'recalibrated' as const, 'upheld' as const),
    workers: fc.array(bytes32, { maxLength: 3 }),
  }),
  fc.record({ v, kind: kind('forfeit'), worker: bytes32, status: int, msat: money, evidence: someEvidence }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('contradiction' as const),
    worker: bytes32,
    status: fc.constant('withdrawn' as const),
    evidence: someEvidence,
  }),
  fc.record({
    v,
    kind: kind('epoch'),
    epoch: int,
    accruals: bytes32,
    openings: bytes32,
    height: int,
    blockHash: bytes32,
    computeMsat: money,
    auditMsat: money,
    feesMsat: money,
    returnedMsat: money,
  }),
  fc.record({
    v,
    kind: kind('payout'),
    payout: int,
    height: int,
    input: coin,
    payees: bytes32,
    count: positive,
    totalSats: money,
  }),
  fc.record({
    v,
    kind: kind('void'),
    payout: int,
    spends: fc.uniqueArray(fc.record({ txid: bytes32, height: int }), {
      minLength: 1,
      maxLength: 3,
      selector: ({ txid }) => Buffer.from(txid).toString('hex'),
    }),
    spentSats: money,
    paid: fc.uniqueArray(int, { maxLength: 3 }).map((all) => all.toSorted((a, b) => a - b)),
  }),
)
