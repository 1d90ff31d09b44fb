import { type ChildProcess, spawn } from 'node:child_process'
import { totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './runner-process.ts' : './runner-process.js', import.meta.url),
)

/** Room for the largest admitted model three times over and for its tensors, but never more than half of the machine. */
const MAX_MEMORY_BYTES = Math.min(8 * 1024 ** 3, Math.floor(totalmem() / 2))

/**
 * Linux: RLIMIT_DATA, set by the shell, counts a process' private writable memory (setrlimit(2), since Linux 4.7), so that ONNX Runtime's
 * allocation fails and the run with it. RLIMIT_AS would count the address space that V8 and CUDA only reserve; watching the resident
 * size would come too late. Other systems have no such limit: there the deadline alone bounds a run.
 */
const CAPPED = `ulimit -d ${Math.floor(MAX_MEMORY_BYTES / 1024)} 2>/dev/null || :; exec "$@"`

/** The last two descriptors are those of runner-fds.ts. @param device the one GPU that it may see */
export function spawnCapped(device: number | null): ChildProcess {
  const command = [process.execPath, ENTRY] as const
  const [file, args] =
    process.platform === 'linux' ? ['sh', ['-c', CAPPED, 'sh', ...command]] : [command[0], [command[1]]]
  return spawn(file, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    // TF32 is on by default and keeps 10 bits of 23. The rest is passed on unread: CUDA's libraries are found through it.
    env: { ...process.env, NVIDIA_TF32_OVERRIDE: '0', ...(device === null ? {} : onlyDevice(device)) },
  })
}

/** nvidia-smi and the driver count GPUs by their PCI bus, CUDA by speed unless it is told otherwise. */
function onlyDevice(device: number): Record<string, string> {
  return { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: `${device}` }
}
