import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { RegtestNode } from '../../regtest/start-bitcoind.ts'
import { formatMsat } from '../client/format-msat.ts'
import type { OpenStatus } from '../client/status-answer.ts'
import type { DemoCheck } from './demo-event.ts'
import { CLI } from './program.ts'

type Worker = OpenStatus['workers'][number]

/** One worker cheated: it lost what it had not got yet, was told why, and the others were paid. Then the log is recomputed. */
export async function examineCheat(
  url: string,
  { log, node }: { log: string; node: RegtestNode },
  workers: readonly Worker[],
): Promise<DemoCheck[]> {
  const suspended = workers.filter(({ standing }) => standing === 'suspended')
  const others = workers.filter(({ standing }) => standing !== 'suspended')
  const [cheat] = suspended
  const paidMsat = BigInt(cheat?.paidMsat ?? 0) + BigInt(cheat?.maturedMsat ?? 0)
  const forfeitedMsat = BigInt(cheat?.forfeitedMsat ?? 0)
  const earning = others.filter(({ receipts }) => receipts > 0)
  const isTold = readFileSync(log, 'utf8').includes('worker_suspended')
  const audit = await recompute(url, node)
  return [
    {
      name: 'suspension',
      ok: suspended.length === 1 && isTold,
      detail: `${cheat?.worker.slice(0, 16)}… cheated, is suspended, and was told so`,
    },
    {
      name: 'forfeit',
      ok: forfeitedMsat > 0n && cheat?.unmaturedMsat === '0' && paidMsat === 0n,
      detail: `${formatMsat(forfeitedMsat)} sat that it had earned before went back; it was paid ${formatMsat(paidMsat)}`,
    },
    {
      name: 'others',
      ok: earning.length > 0 && earning.every((worker) => BigInt(worker.paidMsat) > 0n),
      detail: `${earning.length} honest workers were paid`,
    },
    { name: 'audit log', ...audit },
  ]
}

/** By the command that anybody has. */
async function recompute(url: string, node: RegtestNode): Promise<{ ok: boolean; detail: string }> {
  const args = ['audit', 'log', '--url', url, '--bitcoind-url', node.rpcUrl, '--cookie-file', node.cookieFile]
  const { stdout, failed } = await promisify(execFile)(process.execPath, [CLI, ...args]).then(
    (done) => ({ stdout: done.stdout, failed: false }),
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '', failed: true }),
  )
  const last = stdout.trim().split('\n').at(-1) ?? ''
  return { ok: !failed, detail: failed ? last : 'assay audit log recomputes every entry and agrees' }
}
