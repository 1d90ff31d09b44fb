import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { P2TR_DUST_SATS } from '../../anchor/dust.ts'
import { openNode } from '../../anchor/node.ts'
import { loadDigits, TRAINING_ROWS } from '../../compute/digits/load-digits.ts'
import { trainInChild } from '../../compute/digits/train-in-child.ts'
import { startBitcoind } from '../../regtest/start-bitcoind.ts'
import { askCoordinator } from '../client/ask-coordinator.ts'
import { readAuditors } from '../client/auditors.ts'
import type { ReadStatus } from '../client/status-answer.ts'
import type { DemoEvent, DemoSummary, Stage } from './demo-event.ts'
import {
  CHEAT_EPOCH,
  CHEAT_SHARE,
  DATASET_ROWS,
  EPOCH,
  MAX_BLOCKS,
  PAYOUT_THRESHOLD_SATS,
  REQUESTS_PER_EPOCH,
  SEAL_SATS,
  TREASURY_SATS,
  WORK_EPOCHS,
} from './demo-plan.ts'
import { publishDigits } from './digits-market.ts'
import { type OnMoment, openBlockDriver } from './drive-blocks.ts'
import { examine } from './examine.ts'
import { askDigits, type DigitAnswer } from './requester.ts'
import { freshAddress, openSite } from './site.ts'
import { DemoError, until } from './until.ts'

interface DemoOptions {
  readonly method?: 'dual' | 'taproot'
  /** Whether one worker more cheats. */
  readonly cheat?: boolean
  readonly onEvent: (event: DemoEvent) => void
  readonly onMoment?: OnMoment
  /** While the coordinator and its explorer still run. */
  readonly onSummary?: (summary: DemoSummary, url: string) => Promise<void>
}

/** The worker that cheats, if one is to. */
const CHEAT = 'worker-3'
const STEP_LIMIT_MS = 60_000
const PAYABLE_MSAT = PAYOUT_THRESHOLD_SATS * 1000n

/**
 * The whole house once through, on a real bitcoind: job, worker, receipt, log, anchor, audit, accrual, payout, proof. Throws
 * RegtestError, TrainingError, DemoError, and whatever a program's failure to start says.
 */
export async function runDemo({
  method = 'dual',
  cheat = false,
  onEvent,
  onMoment = async () => undefined,
  onSummary = async () => undefined,
}: DemoOptions): Promise<DemoSummary> {
  const startedMs = performance.now()
  const stage = (name: Stage) => onEvent({ kind: 'stage', stage: name })

  stage('bitcoind')
  await using node = await startBitcoind({
    onProgress: ({ step, detail, fraction }) =>
      onEvent({
        kind: 'fraction',
        fraction: fraction ?? 0,
        detail: detail === undefined ? step : `${step}: ${detail}`,
      }),
  })
  const chain = openNode(node.rpc, 'regtest')
  const heightNow = async () => (await chain.chain()).height
  // The miner's first coins take blocks of their own: before the demo's heights are fixed.
  await node.fund(freshAddress(), P2TR_DUST_SATS)
  const startHeight = await heightNow()
  await using site = await openSite(node, { method, height: startHeight })

  stage('model')
  const modelFile = join(site.folder, 'digits.onnx')
  const { accuracy: trained } = await trainInChild(modelFile, {
    onProgress: ({ epoch, epochs }) =>
      onEvent({ kind: 'fraction', fraction: epoch / epochs, detail: `training on ${TRAINING_ROWS} digits` }),
  })

  stage('coordinator')
  await site.startCoordinator()
  const { anchorAddress, treasuryAddress } = await site.status()
  await node.fund(anchorAddress, SEAL_SATS)
  await node.fund(treasuryAddress, TREASURY_SATS)
  const driver = openBlockDriver(node, site, {
    height: await heightNow(),
    onStatus: (status) => onEvent({ kind: 'status', status }),
    onMoment,
  })
  await mineUntil((status) => status.open !== null)

  stage('workers')
  const { pixels, labels } = loadDigits()
  const datasetRows = pixels.slice(TRAINING_ROWS, TRAINING_ROWS + DATASET_ROWS)
  const requestRows = pixels.slice(TRAINING_ROWS + DATASET_ROWS)
  await publishDigits(site.url, site.token(), modelFile, datasetRows)
  site.startWorker('worker-1', 'also')
  site.startWorker('worker-2', 'also')
  site.startWorker('auditor', 'only')
  if (cheat) site.startWorker(CHEAT, 'also')
  const workerCount = cheat ? 4 : 3
  await until('the workers to register', STEP_LIMIT_MS, async () => {
    site.assertRunning()
    const { open } = await site.status()
    return open !== null && open.workers.length === workerCount ? true : null
  })
  await admitWorkers()
  await anchorNow()
  await mineUntil((status) => status.open?.epoch === 0)

  stage('work')
  const answers: DigitAnswer[] = []
  for (let epoch = 0; epoch < WORK_EPOCHS; epoch += 1) {
    const from = epoch * REQUESTS_PER_EPOCH
    const asking = askDigits(site.url, requestRows.slice(from, from + REQUESTS_PER_EPOCH), (answer) => {
      answers.push(answer)
      const all = WORK_EPOCHS * REQUESTS_PER_EPOCH
      onEvent({
        kind: 'fraction',
        fraction: answers.length / all,
        detail: `epoch ${epoch}: ${answers.length} of ${all} requests`,
      })
    })
    await onMoment('asking', site)
    const answered = await asking
    answers.splice(from, answered.length, ...answered)
    await until('all work of the epoch to be in the log', STEP_LIMIT_MS, async () => {
      site.assertRunning()
      const { open } = await site.status()
      const { work } = open ?? {}
      const rest = (work?.itemsAssigned ?? 1) + (work?.jobsLeased ?? 1) + (work?.jobsAnswered ?? 1)
      return rest === 0 ? true : null
    })
    await onMoment('worked', site)
    // Before the next epoch's work is given out.
    if (cheat && epoch + 1 === CHEAT_EPOCH) await site.letCheat(CHEAT, CHEAT_SHARE)
    await anchorNow()
    await mineUntil((status) => status.open?.epoch === epoch + 1)
  }

  stage('settlement')
  await mineUntil(
    ({ open }) => open?.epochs.find(({ number }) => number === WORK_EPOCHS - 1)?.matured === true,
  )

  stage('payout')
  await mineUntil(({ open }) => {
    if (open === null || open.payouts.some(({ state }) => state !== 'settled')) return false
    // Whoever has earned a payment has had it, and nothing is on its way to one: what a cheat spoiled is worked again by others.
    if (open.work.itemsDone < DATASET_ROWS) return false
    return open.workers.every(
      ({ maturedMsat, unmaturedMsat }) => BigInt(maturedMsat) < PAYABLE_MSAT && unmaturedMsat === '0',
    )
  })
  // The last anchor becomes final, so that every proof does.
  for (let i = 0; i < EPOCH.finalDepth; i += 1) await driver.mineOne()

  stage('proofs')
  await site.stopWorkers()
  const examined = await examine({
    chain,
    bitcoind: node.version,
    site,
    trained,
    answers,
    labels: {
      dataset: labels.slice(TRAINING_ROWS, TRAINING_ROWS + DATASET_ROWS),
      requests: labels.slice(TRAINING_ROWS + DATASET_ROWS),
    },
    method,
    cheat: cheat ? { log: join(site.folder, `${CHEAT}.log`), node } : null,
    onFraction: (fraction, detail) => onEvent({ kind: 'fraction', fraction, detail }),
  })
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  const summary = { ...examined, seconds, blocks: driver.height() - startHeight }
  await onSummary(summary, site.url)
  // Ctrl-C reaches the site's programs too: what they still close must not change under the removal.
  await site[Symbol.asyncDispose]()
  if (summary.ok) rmSync(site.folder, { recursive: true, force: true })
  return summary

  /** Genesis names the operator's auditor; whoever else may recheck work is the operator's public decision. */
  async function admitWorkers(): Promise<void> {
    const own = (await readAuditors(site.url)).auditors.map(({ auditor }) => auditor)
    const { open } = await site.status()
    const others = open?.workers.filter(({ worker }) => !own.includes(worker)) ?? []
    for (const { worker } of others) {
      await site.command('auditor', 'admit', worker, '--reason', 'a machine that the operator has seen')
    }
  }

  async function anchorNow(): Promise<void> {
    await until('an anchor to be asked for', STEP_LIMIT_MS, async () => {
      const asked = await askCoordinator(site.url, '/v1/operator/anchor', {
        method: 'POST',
        token: site.token(),
      }).catch(() => null)
      return asked === null ? null : true
    })
  }

  async function mineUntil(done: (status: ReadStatus) => boolean): Promise<void> {
    for (let blocks = 0; blocks < MAX_BLOCKS; blocks += 1) {
      if (done(await driver.mineOne())) return
    }
    throw new DemoError(`${MAX_BLOCKS} blocks did not bring the next stage; the logs are in ${site.folder}`)
  }
}
