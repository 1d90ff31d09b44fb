/** A replay in a process of its own, so that its memory is nobody else's: prints one JSON object. */
import { keepHeapLean } from '../../src/replay/lean-heap.ts'
import { replay } from '../../src/replay/replay.ts'
import { sourceInFolder } from './mirror-folder.ts'

keepHeapLean()
const [folder = ''] = process.argv.slice(2)
const { ok, first, sample } = await replay(await sourceInFolder(folder))
const { user, system } = process.cpuUsage()
console.log(
  JSON.stringify({
    ok,
    first: first?.detail ?? null,
    receipts: sample.receipts,
    cpuSeconds: (user + system) / 1e6,
    // In kilobytes, as getrusage has it.
    peakBytes: process.resourceUsage().maxRSS * 1_024,
  }),
)
