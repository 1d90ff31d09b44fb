import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { readMessages, writeMessage } from './message.ts'
import { RunError } from './run-error.ts'
import { LIFELINE_FD, REQUESTS_FD } from './runner-fds.ts'
import { type RunnerReply, type RunnerRequest, runnerReply } from './runner-message.ts'
import { spawnCapped } from './spawn-capped.ts'

/** setTimeout takes no more. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Of what the process says, the end is kept for the error when it dies. */
const MAX_STDERR_CHARACTERS = 1_000

interface Reply<Kind extends RunnerReply['kind'] = RunnerReply['kind']> {
  readonly header: RunnerReply & { kind: Kind }
  readonly body: Uint8Array
}

export interface RunnerChild extends AsyncDisposable {
  readonly pid: number
  /** Nothing more can be asked of it. */
  readonly ended: boolean
  /**
   * One after the other. Throws RunError: what the process answers, `runner_died`, or `deadline_exceeded` (Unix ms), which ends the
   * process because a native run can't be interrupted.
   */
  request<Kind extends RunnerReply['kind']>(
    expected: Kind,
    request: RunnerRequest,
    bodies: readonly Uint8Array[],
    deadlineMs: number,
  ): Promise<Reply<Kind>>
}

/**
 * One process with ONNX Runtime in it, its memory capped. It dies with this one, however this one ends.
 * @param device the one GPU that it may see; null: all
 */
export function spawnRunnerChild(device: number | null): RunnerChild {
  const child = spawnCapped(device)
  let lastWords = ''
  child.on('error', (error) => {
    lastWords = error.message
  })
  const { pid, stderr } = child
  if (pid === undefined) throw new RunError('runner_died', 'no process could be started')
  const [socket, lifeline] = [child.stdio[REQUESTS_FD], child.stdio[LIFELINE_FD]]
  assert(stderr !== null && socket instanceof Socket && lifeline instanceof Socket)
  // A broken pipe is the process' end, which the next read reports.
  for (const line of [socket, lifeline]) line.on('error', () => {})
  stderr.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-MAX_STDERR_CHARACTERS)
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const replies = readMessages(socket)
  let ended = false
  let isAsked = false

  async function kill(): Promise<void> {
    ended = true
    child.kill('SIGKILL')
    await closed
  }

  async function died(cause?: unknown): Promise<RunError> {
    await kill()
    const how = child.signalCode ?? `exit code ${child.exitCode}`
    return new RunError('runner_died', `the runner process ended (${how}): ${lastWords.trim()}`, { cause })
  }

  async function nextReply(): Promise<Reply> {
    try {
      const message = await replies.next()
      if (!message.done) return { header: runnerReply.parse(message.value.header), body: message.value.body }
    } catch (cause) {
      throw await died(cause)
    }
    throw await died()
  }

  return {
    pid,
    get ended() {
      return ended || child.exitCode !== null || child.signalCode !== null
    },

    async request(expected, request, bodies, deadlineMs) {
      assert(!isAsked, 'a process is asked one thing at a time')
      isAsked = true
      let late = false
      const timer = setTimeout(
        () => {
          late = true
          ended = true
          child.kill('SIGKILL')
        },
        Math.min(Math.max(deadlineMs - Date.now(), 0), MAX_TIMER_MS),
      )
      try {
        writeMessage(socket, request, bodies)
        const reply = await nextReply()
        if (isKind(reply, expected)) return reply
        const { header } = reply
        throw header.kind === 'failed' ? new RunError(header.code, header.message) : await died()
      } catch (cause) {
        throw late ? new RunError('deadline_exceeded', 'the run did not end in time', { cause }) : cause
      } finally {
        clearTimeout(timer)
        isAsked = false
      }
    },

    [Symbol.asyncDispose]: kill,
  }
}

function isKind<Kind extends RunnerReply['kind']>(reply: Reply, kind: Kind): reply is Reply<Kind> {
  return reply.header.kind === kind
}
