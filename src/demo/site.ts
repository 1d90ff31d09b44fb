import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { newWorkerKey, publicKeyOf } from '../../compute/work/worker-key.ts'
import { freePort } from '../../regtest/free-port.ts'
import type { RegtestNode } from '../../regtest/start-bitcoind.ts'
import { readStatus } from '../client/read-status.ts'
import type { ReadStatus } from '../client/status-answer.ts'
import { parseConfig } from '../config/parse-config.ts'
import { renderConfig } from '../config/render-config.ts'
import { createKeystore } from '../keystore/create-keystore.ts'
import {
  BLOCKS_TO_START,
  EPOCH,
  HALVING_EPOCHS,
  INITIAL_SUBSIDY_MSAT,
  ORIGIN,
  PAYOUT_THRESHOLD_SATS,
} from './demo-plan.ts'
import { CLI, type Program, startProgram } from './program.ts'
import { until } from './until.ts'

/** A coordinator and its workers as separate processes over one regtest node, in a folder of their own. */
export interface Site extends AsyncDisposable {
  readonly folder: string
  readonly url: string
  readonly token: () => string
  status(): Promise<ReadStatus>
  startCoordinator(): Promise<void>
  /** SIGKILL, then a new start over what the dead one left. */
  killCoordinator(): Promise<void>
  startWorker(name: string, audit: 'also' | 'only'): void
  /** Stops that worker and starts it again as one that cheats. The coordinator will have it end by itself. */
  letCheat(name: string, share: number): Promise<void>
  /** `assay` with these arguments and the site's configuration. Rejects where it ends with another exit code than 0. */
  command(...args: readonly string[]): Promise<void>
  /** SIGTERM: they deliver what they hold, and let go of their spools. */
  stopWorkers(): Promise<void>
  /** Throws when a program has ended that nobody ended. */
  assertRunning(): void
}

const START_LIMIT_MS = 30_000
/** The demo's keystore guards regtest coins for a minute: scrypt at its least (RFC 7914's interactive example). */
const SCRYPT_N = 2 ** 14

export async function openSite(
  node: RegtestNode,
  options: {
    method: 'dual' | 'taproot'
    height: number
    /** Over the demo's own settings. */
    settings?: Record<string, string>
  },
): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-demo-'))
  const dataDir = join(folder, 'coordinator')
  const configFile = join(folder, 'assay.toml')
  const passphrase = randomBytes(16).toString('hex')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const flags = {
    network: 'regtest',
    dataDir,
    origin: ORIGIN,
    'listen.port': `${port}`,
    'bitcoind.url': node.rpcUrl,
    'bitcoind.cookieFile': node.cookieFile,
    'bitcoind.zmqUrl': node.zmqUrl,
    'anchor.method': options.method,
    'anchor.everyBlocks': '3',
    'epoch.startHeight': `${options.height + BLOCKS_TO_START}`,
    ...Object.fromEntries(Object.entries(EPOCH).map(([key, value]) => [`epoch.${key}`, `${value}`])),
    'subsidy.initialMsat': `${INITIAL_SUBSIDY_MSAT}`,
    'subsidy.halvingEpochs': `${HALVING_EPOCHS}`,
    'subsidy.capMsat': `${INITIAL_SUBSIDY_MSAT * 100n}`,
    'payout.thresholdSats': `${PAYOUT_THRESHOLD_SATS}`,
    ...options.settings,
  }
  mkdirSync(dataDir, { mode: 0o700 })
  writeFileSync(configFile, renderConfig(parseConfig('', { flags })))
  await createKeystore(join(dataDir, 'keystore.json'), { passphrase, network: 'regtest', scryptN: SCRYPT_N })

  const env = { ASSAY_PASSPHRASE: passphrase }
  const workers: Program[] = []
  const cheats: Program[] = []
  const addresses = new Map<string, string>()
  let coordinator: Program | null = null

  async function startCoordinator(): Promise<void> {
    const program = startProgram('coordinator', ['up', '--config', configFile], {
      env,
      logFile: join(folder, 'coordinator.log'),
    })
    coordinator = program
    await until('the coordinator to listen', START_LIMIT_MS, async () => {
      const ended = program.exited()
      if (ended !== null) throw new Error(ended)
      return (await readStatus(url).catch(() => null)) === null ? null : true
    })
  }

  function startWorker(name: string, audit: 'also' | 'only', ...more: readonly string[]): Program {
    const address = addresses.get(name) ?? freshAddress()
    addresses.set(name, address)
    const args = [
      'worker',
      '--coordinator',
      url,
      '--address',
      address,
      '--data',
      join(folder, name),
      '--provider',
      'cpu',
      '--audit',
      audit,
      ...(audit === 'only' ? ['--operator', configFile] : []),
      ...more,
    ]
    return startProgram(name, args, { env, logFile: join(folder, `${name}.log`) })
  }

  return {
    folder,
    url,
    token: () => readFileSync(join(dataDir, 'operator-token'), 'utf8').trim(),
    status: () => readStatus(url),
    startCoordinator,
    async killCoordinator() {
      await coordinator?.kill()
      await startCoordinator()
    },
    startWorker: (name, audit) => void workers.push(startWorker(name, audit)),
    async letCheat(name, share) {
      const at = workers.findIndex((worker) => worker.name === name)
      await Promise.all(workers.splice(at, 1).map((worker) => worker.stop()))
      cheats.push(startWorker(name, 'also', '--cheat', `${share}`))
    },
    async command(...args) {
      await promisify(execFile)(process.execPath, [CLI, ...args, '--config', configFile])
    },
    async stopWorkers() {
      await Promise.all([...workers.splice(0), ...cheats.splice(0)].map((worker) => worker.stop()))
    },
    assertRunning() {
      for (const program of [...workers, ...(coordinator === null ? [] : [coordinator])]) {
        const ended = program.exited()
        if (ended !== null) throw new Error(ended)
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...workers, ...cheats].map((worker) => worker.stop()))
      await coordinator?.stop()
    },
  }
}

/** An address that nobody has the key of any more: on regtest only what arrives there matters. */
export function freshAddress(): string {
  return taprootAddress(publicKeyOf(newWorkerKey()), 'regtest')
}
