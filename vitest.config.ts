import { homedir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that take longest begin first, and wait beside the others; else the last one would hold up the end alone. */
const FIRST = [
  'test/src/demo/kill',
  'test/guides/',
  'test/src/api/hostile-input',
  'test/src/explorer/',
  'test/src/demo/command',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = FIRST.findIndex((start) => moduleId.includes(`/${start}`))
      return at === -1 ? FIRST.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real nodes, real child processes: caps so generous that a machine ten times as busy fails only when something hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    pool: 'forks',
    // Much of the time goes into waiting for nodes and timeouts, so more files are under way than two cores could compute.
    maxWorkers: 4,
    // Files keep nothing in modules, so a process may run one after another; a third of the time would be spent on loading anew.
    isolate: false,
    restoreMocks: true,
    sequence: { sequencer: LongestFirst },
    // Child processes compile what another one has compiled only once.
    env: { NODE_COMPILE_CACHE: join(homedir(), '.cache/assay/compiled') },
  },
})
