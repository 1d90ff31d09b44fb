import { setFlagsFromString } from 'node:v8'

/**
 * For a process that replays and does nothing else: V8 lets the heap grow by half of what is alive between collections, not
 * to several times of it (docs/BENCHMARKS.md has what that saves and costs).
 */
export function keepHeapLean(): void {
  setFlagsFromString('--heap-growing-percent=50')
}
