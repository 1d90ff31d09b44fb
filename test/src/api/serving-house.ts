import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { encodeModel } from '../../../compute/onnx/model.ts'
import type { ServingHouse } from '../../../src/api/served-models.ts'
import { openBlobStore } from '../../../src/blobs/blob-store.ts'
import { createBell } from '../../../src/coordinator/bell.ts'
import { openCanaries } from '../../../src/coordinator/canaries.ts'
import { openCharges } from '../../../src/coordinator/charges.ts'
import type { OpenHouse } from '../../../src/coordinator/coordinator.ts'
import type { Genesis } from '../../../src/coordinator/genesis.ts'
import { openMarket } from '../../../src/coordinator/market.ts'
import { openPrices } from '../../../src/coordinator/prices.ts'
import { openRequesters } from '../../../src/coordinator/requesters.ts'
import type { Answer, PendingRequest } from '../../../src/coordinator/requests.ts'
import { openRequestQueue } from '../../../src/coordinator/requests.ts'
import { openWithdrawals } from '../../../src/coordinator/withdrawals.ts'
import { depositKey, deriveKeys } from '../../../src/keystore/derive-keys.ts'
import { newMnemonic } from '../../../src/keystore/mnemonic.ts'
import { openLedger } from '../../../src/ledger/ledger.ts'
import { openLog } from '../../../src/log/log-store.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import { applySchema, openDatabase } from '../../../src/store/open-database.ts'
import type { SubnetModel } from '../../../src/subnet/definition.ts'
import { mlp } from '../../compute/onnx/sample-models.ts'

export const START_HEIGHT = 100
const ORIGIN = 'assay.example/log'
const SCHEMA = readFileSync(
  new URL('../../../src/coordinator/coordinator-schema.sql', import.meta.url),
  'utf8',
)

const genesis: Genesis = {
  v: 1,
  kind: 'genesis',
  network: 'regtest',
  method: 'dual',
  origin: ORIGIN,
  internalKey: randomBytes(32),
  logKey: randomBytes(32),
  auditor: randomBytes(32),
  treasury: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
  seal: { txid: randomBytes(32), vout: 0, sats: 100_000n },
  epoch: {
    startHeight: START_HEIGHT,
    blocks: 10,
    verdictBlocks: 10,
    finalDepth: 1,
    beaconDelay: 1,
    maturityBlocks: 10,
    auditRoundBlocks: 2,
    suspensionBlocks: 24,
  },
  subsidy: { initialMsat: 0n, halvingEpochs: 1, capMsat: 0n },
  auditBasisPoints: 0,
  feeReserveSats: 0n,
  succeeds: null,
}

/** Of an anchorer that has judged everything. */
export const JUDGED: ReturnType<OpenHouse['anchorer']['judgement']> = { stalled: null, inDoubt: false }

/** Market, queue and blobs as a coordinator has them, with `mlp` on the market; no node, and no worker but the test. */
export function openServingHouse({
  advancedTo = START_HEIGHT as number | null,
  anchoring = JUDGED,
  canaryBasisPoints: shareBasisPoints = 0,
} = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'assay-serving-'))
  const db = openDatabase(join(folder, 'assay.sqlite'))
  onTestFinished(() => {
    db.close()
    rmSync(folder, { recursive: true })
  })
  applySchema(db, SCHEMA)
  const blobs = openBlobStore(join(folder, 'blobs'))
  const log = openLog({ db, origin: ORIGIN, seed: new Uint8Array(32).fill(1) })
  const books = { db, log, blobs, ledger: openLedger(db) }
  const market = openMarket(books)
  const bell = createBell()
  const requests = openRequestQueue(bell)
  onTestFinished(() => requests.close())
  const { takeUnserved } = requests
  const prices = openPrices(books, { market, rules: epochRules(genesis), takeUnserved })
  const charges = openCharges(books, prices, openWithdrawals(books, { thresholdSats: 546n }))
  const { treasury } = genesis
  const { deposits } = deriveKeys(newMnemonic(), 'regtest')
  const requesters = openRequesters(books, {
    network: 'regtest',
    treasury,
    reserved: [treasury],
    depositKey: (number) => depositKey(deposits, number).internalKey,
  })
  const bytes = encodeModel(mlp())
  const digest = Buffer.from(blobs.putSync(bytes), 'hex')
  market.define(
    {
      v: 1,
      auditFloor: { numerator: 1, denominator: 10 },
      dataset: null,
      effectiveEpoch: 0,
      models: [{ ...MODEL, bytes: bytes.length, digest }],
      name: 'digits',
      objective: { name: 'throughput' },
      operatorBasisPoints: 0,
      price: 0n,
      privacy: 'public',
      weight: 1,
    },
    null,
  )
  const canaries = openCanaries(books, { market, shareBasisPoints })
  const house: ServingHouse = {
    books: { blobs },
    advancedTo: () => advancedTo,
    house: () => ({
      genesis,
      desks: { canaries, charges, market, requesters, requests },
      anchorer: { judgement: () => anchoring },
    }),
  }

  /** What a worker does: takes the next request and settles it. */
  async function work(answer: Answer): Promise<PendingRequest> {
    for (;;) {
      const [request] = requests.take('ab'.repeat(32), 1, Number.MAX_SAFE_INTEGER)
      if (request === undefined) {
        await bell.wait(60_000)
        continue
      }
      request.settle({ answer })
      return request
    }
  }

  return { house, blobs, canaries, requests, work }
}

const MODEL: Omit<SubnetModel, 'bytes' | 'digest'> = {
  falseFailRate: { numerator: 3, denominator: 1_000 },
  license: { redistributable: true, source: 'a test', spdx: 'CC0-1.0' },
  name: 'mlp',
  profile: {
    comparison: 'exact',
    device: 'x86-64-v3',
    optimization: 'disabled',
    ort: '1.30.0',
    precision: 'fp32',
    provider: 'cpu',
    threads: 1,
  },
  unitsPerItem: 9_472,
  version: 3,
}
