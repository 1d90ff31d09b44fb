import { RefusedError } from '../coordinator/refused-error.ts'

/** Inputs of requests that wait for their answer: four of the largest, or all that the queue takes at 64 KiB each. */
const MAX_HELD_BYTES = 256 * 1024 * 1024

/** Asks, and counts so many bytes until the answer is there. Throws RefusedError 429 `queue_full`. */
export type HeldBytes = <T>(bytes: number, ask: () => Promise<T>) => Promise<T>

export function openHeldBytes(): HeldBytes {
  let heldBytes = 0
  return async (bytes, ask) => {
    if (heldBytes + bytes > MAX_HELD_BYTES) {
      throw new RefusedError(
        429,
        'queue_full',
        `requests of ${heldBytes} bytes are under way; try again later`,
      )
    }
    heldBytes += bytes
    try {
      return await ask()
    } finally {
      heldBytes -= bytes
    }
  }
}
