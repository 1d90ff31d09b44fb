import { parseArgs } from 'node:util'
import { tableHead, tableLine } from './print-row.ts'
import type { Row } from './row.ts'

/** Loaded only when asked for: a suite pulls in as much as what it measures. */
export interface Suite {
  readonly load: () => Promise<{ rows: () => AsyncIterable<Row> }>
  /** Starts a whole house of programs: left out of `all`. */
  readonly isSlow?: boolean
}

/** As the CLI's: 1, something was found wanting; 2, asked wrongly. */
const BENCH_EXIT = { ok: 0, barMissed: 1, usage: 2 } as const

/** @param args after the program's name @returns exit code */
export async function runBench(
  args: string[],
  suites: ReadonlyMap<string, Suite>,
  write: (line: string) => void,
): Promise<number> {
  const asked = readArguments(args)
  const chosen = asked === null ? null : choose(asked.name, suites)
  if (asked === null || chosen === null) {
    write(`usage: npm run bench -- NAME [--json]\nNAME: ${[...suites.keys(), 'all'].join(', ')}`)
    return BENCH_EXIT.usage
  }
  if (!asked.json) write(tableHead())
  let missed = 0
  for (const { load } of chosen) {
    const { rows } = await load()
    for await (const row of rows()) {
      write(asked.json ? JSON.stringify(row) : tableLine(row))
      if (!row.ok) missed += 1
    }
  }
  return missed === 0 ? BENCH_EXIT.ok : BENCH_EXIT.barMissed
}

/** Null where it is none of ours. */
function readArguments(args: string[]): { name: string; json: boolean } | null {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { json: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const [name, ...more] = positionals
    return name === undefined || more.length > 0 ? null : { name, json: values.json }
  } catch {
    return null // parseArgs throws for options that it doesn't know
  }
}

function choose(name: string, suites: ReadonlyMap<string, Suite>): Suite[] | null {
  if (name === 'all') return [...suites.values()].filter(({ isSlow = false }) => !isSlow)
  const suite = suites.get(name)
  return suite === undefined ? null : [suite]
}
