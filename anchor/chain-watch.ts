import { coalesced } from './in-turn.ts'
import type { ChainTip, Node } from './node.ts'

interface ChainWatchOptions {
  node: Node
  /** bitcoind's `-zmqpubsequence` address; without it only polling is left. */
  zmqUrl?: string
  /** How long a lost ZMQ message may cost. */
  pollMs: number
  /** At the start, and whenever the tip is another one; tips in between may be left out. */
  onTip: (tip: ChainTip) => void
  /** What a look at the chain failed with, once until one succeeds, and what ended the listening by ZMQ; the watch goes on. */
  onError: (error: unknown) => void
  signal?: AbortSignal
}

/** Follows the best chain's tip until it is disposed of, or the signal aborts. */
export function watchChain(options: ChainWatchOptions): AsyncDisposable {
  const { node, zmqUrl, pollMs, onTip, onError, signal } = options
  const closing = new AbortController()
  const stop = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
  let lastHash: string | null = null
  let isAway = false

  const look = coalesced(async () => {
    if (stop.aborted) return
    try {
      const { height, hash } = await node.chain()
      isAway = false
      if (stop.aborted || hash === lastHash) return
      lastHash = hash
      onTip({ height, hash })
    } catch (error) {
      if (!stop.aborted && !isAway) onError(error)
      isAway = true
    }
  })

  const timer = setInterval(look, pollMs)
  whenAborted(stop, () => clearInterval(timer))
  const listening = zmqUrl === undefined ? Promise.resolve() : listen(zmqUrl, look, stop).catch(onError)
  void look()

  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await Promise.all([listening, look()])
    },
  }
}

/** Labels in a `sequence` message, after the 32-byte hash (Bitcoin Core, doc/zmq.md). */
const LABEL_AT = 32
const BLOCK_CONNECTED = 'C'.charCodeAt(0)
const BLOCK_DISCONNECTED = 'D'.charCodeAt(0)

/** Looks at each connected or disconnected block, and where a gap in the counter says that messages were lost. */
async function listen(zmqUrl: string, look: () => Promise<void>, stop: AbortSignal): Promise<void> {
  const { Subscriber } = await import('zeromq') // native: not loaded where only polling is wanted
  const socket = new Subscriber({ linger: 0 })
  whenAborted(stop, () => socket.close())
  if (stop.aborted) return
  socket.connect(zmqUrl)
  socket.subscribe('sequence')
  let expected: number | null = null
  for await (const [, body, counter] of socket) {
    if (body === undefined || counter?.length !== 4) continue
    const sequence = counter.readUInt32LE()
    const hasGap = expected !== null && sequence !== expected
    expected = (sequence + 1) >>> 0
    const label = body[LABEL_AT]
    if (hasGap || label === BLOCK_CONNECTED || label === BLOCK_DISCONNECTED) void look()
  }
}

function whenAborted(signal: AbortSignal, end: () => void): void {
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
}
