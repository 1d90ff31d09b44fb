import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { keepHeapRoomy } from '../../../compute/runtime/roomy-heap.ts'
import { publicKeyOf } from '../../../compute/work/worker-key.ts'
import { runWorker } from '../../../compute/worker/run-worker.ts'
import { trustLog } from '../../client/check-acknowledgement.ts'
import { loadConfig } from '../../config/load-config.ts'
import { openKeystore } from '../../keystore/open-keystore.ts'
import { example } from '../example.ts'
import { openLogger } from '../open-logger.ts'
import { ownWorkerKey } from '../own-worker-key.ts'
import { readPassphrase } from '../passphrase.ts'
import { untilSignal } from '../until-signal.ts'
import { webAddress } from '../web-address.ts'
import { wholeSats } from '../whole-number.ts'
import { addWorkerAddress } from './worker-address.ts'
import { addWorkerCheck } from './worker-check.ts'
import { addWorkerInstallCuda } from './worker-install-cuda.ts'
import { addWorkerStatement } from './worker-statement.ts'

interface WorkerOptions {
  readonly coordinator: string
  readonly data: string
  readonly address: string
  readonly thresholdSats?: bigint
  readonly provider: 'auto' | 'cpu' | 'cuda' | 'webgpu'
  readonly devices: readonly number[] | null
  readonly concurrency: number
  readonly maxModelBytes: number
  readonly audit: 'also' | 'only' | 'never'
  readonly despiteFaults?: boolean
  readonly operator?: string
  readonly passphraseFile?: string
  readonly cheat: number
}

/** Each is a process of its own with ONNX Runtime in it. */
const MAX_CONCURRENCY = 64
/** Forty models of the largest size. */
const DEFAULT_MODEL_BYTES = 20 * 1024 ** 3
/** Events after which less is earned than could be. */
const WARNINGS = /^(warning|failed|refused)$/

export function addWorker(program: Command): void {
  const worker = program.command('worker').description('run models for a coordinator and earn')
  const run = worker
    .command('run', { isDefault: true })
    .description('what `assay worker` alone does')
    .requiredOption('--coordinator <url>', 'where `assay up` listens', webAddress)
    .requiredOption('--address <address>', 'where earnings are paid to')
    .option(
      '--threshold-sats <sats>',
      'be paid from this sum on, where the operator would pay less',
      wholeSats,
    )
    .option('--data <folder>', "the worker's key, unsent receipts and models", 'assay-worker')
    .addOption(
      new Option('--provider <name>', 'what runs the models')
        .choices(['auto', 'cpu', 'cuda', 'webgpu'])
        .default('auto'),
    )
    .addOption(
      new Option('--devices <list>', 'GPUs to use, as nvidia-smi counts them: 0,1')
        .argParser(deviceList)
        .default(null, 'the first'),
    )
    .addOption(
      new Option('--concurrency <n>', 'processes for each device').argParser(processCount).default(1),
    )
    .addOption(
      new Option('--max-model-bytes <bytes>', 'model files to keep; those unused for longest go first')
        .argParser(wholeNumber)
        .default(DEFAULT_MODEL_BYTES, '20 GiB'),
    )
    .addOption(
      new Option('--audit <when>', "recheck others' work").choices(['also', 'only', 'never']).default('also'),
    )
    .option(
      '--operator <config>',
      "work under the operator's auditor key, from the keystore of this configuration",
    )
    .option(
      '--despite-faults',
      'take jobs although `assay worker check` finds operators that this device gets wrong',
    )
    .option('--passphrase-file <file>', 'passphrase of that keystore; or ASSAY_PASSPHRASE, or a prompt')
    .addOption(
      new Option(
        '--cheat <share>',
        'for tests and demos: alter the outputs of this share of the jobs, 0 to 1',
      )
        .argParser(parseShare)
        .default(0)
        .hideHelp(),
    )
    .addHelpText(
      'after',
      example('assay worker --coordinator http://127.0.0.1:8380 --address bcrt1q… --data ./worker-1'),
    )
    .action(work)
  addWorkerAddress(worker)
  addWorkerCheck(worker)
  addWorkerInstallCuda(worker)
  addWorkerStatement(worker)
  worker.addHelpText('after', () => `\n${run.helpInformation()}`)
}

async function work(options: WorkerOptions): Promise<void> {
  keepHeapRoomy()
  const logger = openLogger()
  const dataDir = resolve(options.data)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const secretKey = await keyOf(options, dataDir)
  const stop = new AbortController()
  void untilSignal().then(() => stop.abort())
  logger.info({ worker: Buffer.from(publicKeyOf(secretKey)).toString('hex') }, 'starting')
  await runWorker({
    coordinatorUrl: options.coordinator,
    dataDir,
    secretKey,
    address: options.address,
    thresholdSats: options.thresholdSats ?? 0n,
    provider: options.provider,
    devices: options.devices,
    concurrency: options.concurrency,
    maxModelBytes: options.maxModelBytes,
    despiteFaults: options.despiteFaults === true,
    audit: options.audit,
    cheatShare: options.cheat,
    trustLog: (log) => trustLog(join(dataDir, 'logs'), log),
    signal: stop.signal,
    onEvent: ({ type, ...fields }) => logger[WARNINGS.test(type) ? 'warn' : 'info'](fields, type),
  })
  logger.info('stopped')
}

function deviceList(text: string): readonly number[] {
  const devices = text.split(',').map((part) => (/^\d{1,2}$/.test(part) ? Number(part) : Number.NaN))
  if (devices.some(Number.isNaN) || new Set(devices).size < devices.length) {
    throw new InvalidArgumentError('expected different numbers with commas between, such as 0,1')
  }
  return devices
}

function processCount(text: string): number {
  const count = wholeNumber(text)
  if (count > MAX_CONCURRENCY) throw new InvalidArgumentError(`expected at most ${MAX_CONCURRENCY}`)
  return count
}

function wholeNumber(text: string): number {
  const number = /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError('expected a whole number above 0')
  return number
}

function parseShare(text: string): number {
  const share = Number(text)
  if (text.trim() !== '' && share >= 0 && share <= 1) return share
  throw new InvalidArgumentError('expected a number from 0 to 1')
}

async function keyOf(options: WorkerOptions, dataDir: string): Promise<Uint8Array> {
  if (options.operator === undefined) return ownWorkerKey(dataDir)
  const { dataDir: folder, network } = loadConfig({ file: options.operator, env: process.env })
  const passphrase = await readPassphrase(options)
  const keys = await openKeystore(join(folder, 'keystore.json'), { passphrase, network })
  return keys.auditor.secretKey
}
