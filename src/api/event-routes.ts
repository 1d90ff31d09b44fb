import { hash } from 'node:crypto'
import { type Response, Router } from 'express'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { liveStateOf } from '../coordinator/live-state.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { toJson } from './json.ts'

/** Each holds a connection; more are told to poll. */
const MAX_WATCHERS = 256
/** As often as anybody can look. */
const LOOK_EVERY_MS = 1_000
/** Proxies cut what is silent for a minute. */
const HEARTBEAT_MS = 15_000

interface Message {
  readonly id: string
  readonly text: string
}

/**
 * GET /v1/events: server-sent events (HTML standard §9.2). Each `state` is the whole state, its `id` names it: who comes
 * back with the newest id is sent nothing until something changes.
 */
export function eventRoutes(coordinator: Coordinator, onBug: (error: unknown) => void): Router {
  const watchers = new Set<Response>()
  let sent = ''
  let looking: NodeJS.Timeout | null = null

  function stateNow(): Message {
    const data = toJson(liveStateOf(coordinator))
    const id = hash('sha256', data, 'base64url').slice(0, 22)
    return { id, text: `id: ${id}\nevent: state\ndata: ${data}\n\n` }
  }

  function look(): Message {
    const message = stateNow()
    if (message.id !== sent) for (const watcher of watchers) send(watcher, message.text)
    sent = message.id
    return message
  }

  function lookAgain(): void {
    try {
      look()
    } catch (error) {
      onBug(error)
      for (const watcher of watchers) watcher.destroy()
    }
  }

  /** Who doesn't read is let go, before what waits for it grows. */
  function send(watcher: Response, text: string): void {
    if (!watcher.write(text)) watcher.destroy()
  }

  return Router().get('/v1/events', (request, response) => {
    if (watchers.size >= MAX_WATCHERS) {
      throw new RefusedError(503, 'busy', `at most ${MAX_WATCHERS} may watch: poll /v1/status instead`)
    }
    response.status(200).set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    const { id, text } = look()
    send(response, request.headers['last-event-id'] === id ? ':\n\n' : text)
    watchers.add(response)
    looking ??= setInterval(lookAgain, LOOK_EVERY_MS)
    const heartbeat = setInterval(() => send(response, ':\n\n'), HEARTBEAT_MS)
    response.once('close', () => {
      clearInterval(heartbeat)
      watchers.delete(response)
      if (watchers.size > 0 || looking === null) return
      clearInterval(looking)
      looking = null
    })
  })
}
