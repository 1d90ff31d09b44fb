import { setFlagsFromString } from 'node:v8'

/**
 * For a process that passes bodies on: V8 counts the bytes of buffers as growth of the heap, the dead ones
 * too, and marked all of it every 46 requests of 100 kB. It may grow to four times of what is alive, the most
 * that V8 lets it by itself.
 */
export function keepHeapRoomy(): void {
  setFlagsFromString('--heap-growing-percent=300')
}
