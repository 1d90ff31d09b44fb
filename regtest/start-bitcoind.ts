import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type BitcoinRpc, connectRpc, RpcError } from '../anchor/rpc.ts'
import { type BitcoindProcess, spawnBitcoind } from './bitcoind-process.ts'
import { expectList, expectRecord, expectText } from './expect-json.ts'
import { findBitcoind } from './find-bitcoind.ts'
import { freePort } from './free-port.ts'
import { createMiner, type Miner } from './miner.ts'
import type { Progress, Watch } from './progress.ts'
import { RegtestError } from './regtest-error.ts'
import { type Reorg, reorgChain } from './reorg.ts'

/** A start takes half a second; a runner busy with other tests gets far longer. */
const START_TIMEOUT_MS = 60_000
const READY_POLL_MS = 25
/** A port may be taken between choosing and binding; three in a row are not chance. */
const MAX_START_ATTEMPTS = 3

export interface StartOptions {
  /** Kept when the node stops; without it the node makes one under the system's temporary folder and removes it. */
  readonly datadir?: string
  /** Path of bitcoind; without it see findBitcoind. */
  readonly binary?: string
  /** After our own arguments, so that they win. */
  readonly extraArgs?: readonly string[]
  readonly onProgress?: (progress: Progress) => void
  /** Calls off the start; a running node isn't touched by it. */
  readonly signal?: AbortSignal
}

/** A regtest bitcoind of its own on 127.0.0.1: no peers, no fixed ports, cookie authentication. */
export interface RegtestNode extends Miner, AsyncDisposable {
  /** As the node calls itself: `Satoshi:31.0.0`. */
  readonly version: string
  readonly datadir: string
  readonly rpcUrl: string
  /** Its content changes with each start. */
  readonly cookieFile: string
  /** Publishes `sequence` and `hashblock`. */
  readonly zmqUrl: string
  readonly rpc: BitcoinRpc
  /** Of the running node, or of the last one. */
  readonly pid: number
  /** See reorgChain; the rival branch is one block longer by default. */
  reorg(depth: number, blocks?: number, options?: { empty?: boolean }): Promise<Reorg>
  /** Same datadir and ports, also after kill(). */
  restart(): Promise<void>
  /**
   * SIGKILL; the datadir stays, the mempool is lost. The chain is flushed before: a node without peers would
   * forget the blocks that a real one gets again.
   */
  kill(): Promise<void>
  /** Idempotent. */
  stop(): Promise<void>
}

/** Starts a node and returns when it answers. Throws RegtestError. */
export async function startBitcoind(options: StartOptions = {}): Promise<RegtestNode> {
  const watch: Watch = { onProgress: options.onProgress, signal: options.signal }
  const binary = await findBitcoind(options.binary, watch)
  const datadir = options.datadir ?? (await mkdtemp(path.join(os.tmpdir(), 'assay-regtest-')))
  await mkdir(datadir, { recursive: true })
  try {
    watch.onProgress?.({ step: 'start', detail: binary })
    for (let attempt = 1; ; attempt++) {
      try {
        return await startOn(binary, datadir, await freePort(), await freePort(), options)
      } catch (error) {
        if (attempt === MAX_START_ATTEMPTS || !isPortTaken(error)) throw error
      }
    }
  } catch (error) {
    if (options.datadir === undefined) await rm(datadir, { recursive: true, force: true })
    throw error
  }
}

async function startOn(
  binary: string,
  datadir: string,
  rpcPort: number,
  zmqPort: number,
  { datadir: givenDatadir, extraArgs = [], signal }: StartOptions,
): Promise<RegtestNode> {
  const rpcUrl = `http://127.0.0.1:${rpcPort}`
  const zmqUrl = `tcp://127.0.0.1:${zmqPort}`
  const cookieFile = path.join(datadir, 'regtest', '.cookie')
  const args = [
    '-regtest',
    `-datadir=${datadir}`,
    '-server',
    '-printtoconsole=0',
    '-rpcbind=127.0.0.1',
    '-rpcallowip=127.0.0.1',
    `-rpcport=${rpcPort}`,
    `-zmqpubsequence=${zmqUrl}`,
    `-zmqpubhashblock=${zmqUrl}`,
    '-connect=0', // no peers; implies -listen=0 and -dnsseed=0
    '-txindex=0',
    '-fallbackfee=0.00002', // regtest has no fee history for a wallet to estimate from
    '-par=1', // regtest scripts are few: no threads beside the tests' own
    ...extraArgs,
  ]
  const rpc = connectRpc({ url: rpcUrl, cookieFile })
  const miner = createMiner(rpc)
  let running: BitcoindProcess
  let version: string
  try {
    await launch(signal)
  } catch (error) {
    rpc.close()
    throw error
  }
  let stopped: Promise<void> | null = null

  async function launch(calledOff?: AbortSignal): Promise<void> {
    // A node that was killed leaves its cookie behind.
    await rm(cookieFile, { force: true })
    running = await spawnBitcoind(binary, args)
    try {
      version = await Promise.race([answer(rpc, calledOff), running.exited])
      // bitcoind only logs that it couldn't bind ZMQ, and goes on without.
      if (expectList(await rpc.call('getzmqnotifications'), 'getzmqnotifications').length === 0) {
        throw new RegtestError('bitcoind_start_failed', `ZMQ at ${zmqUrl}: address already in use`)
      }
    } catch (error) {
      await running.kill()
      throw error
    }
  }

  async function end(): Promise<void> {
    rpc.close()
    await running.stop()
    if (givenDatadir === undefined) await rm(datadir, { recursive: true, force: true })
  }

  async function stop(): Promise<void> {
    stopped ??= end()
    await stopped
  }

  return {
    ...miner,
    datadir,
    rpcUrl,
    cookieFile,
    zmqUrl,
    rpc,
    get version() {
      return version
    },
    get pid() {
      return running.pid
    },
    reorg: (depth, blocks = depth + 1, how = {}) => reorgChain(rpc, miner, depth, blocks, how),
    async restart() {
      assert(stopped === null, 'the node is stopped for good')
      await running.stop()
      await launch()
    },
    async kill() {
      // Refused or unanswered, the node dies all the same.
      await rpc.call('gettxoutsetinfo', 'none').catch(() => {})
      await running.kill()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Waits until the node answers; its name and version. */
async function answer(rpc: BitcoinRpc, signal?: AbortSignal): Promise<string> {
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    try {
      const info = expectRecord(await rpc.call('getnetworkinfo'), 'getnetworkinfo')
      return expectText(info.subversion, 'getnetworkinfo subversion').replace(/^\/|\/$/g, '')
    } catch (error) {
      const starting =
        error instanceof RpcError && (error.code === 'rpc_unreachable' || error.code === 'rpc_warming_up')
      if (!starting) throw error
      if (Date.now() > deadline) {
        throw new RegtestError('bitcoind_start_failed', `no answer in ${START_TIMEOUT_MS} ms`, {
          cause: error,
        })
      }
      await delay(READY_POLL_MS, undefined, { signal })
    }
  }
}

function isPortTaken(error: unknown): boolean {
  return (
    error instanceof RegtestError && /unable to start HTTP server|address already in use/i.test(error.message)
  )
}
