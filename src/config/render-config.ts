import { stringify } from 'smol-toml'
import { CONFIG_KEYS, type ConfigKey } from './config-key.ts'
import type { Config } from './config-schema.ts'

const HEADING = `# Assay's configuration.
# The environment stands over this file (anchor.everyBlocks: ASSAY_ANCHOR_EVERY_BLOCKS), flags stand over both.
`

/** The commented TOML file for `config`; parsing it gives `config` back. Keys that are not set stand as comments. */
export function renderConfig(config: Config): string {
  const tables: Record<string, unknown> = config
  const groups = Map.groupBy(CONFIG_KEYS, ({ table }) => table)
  // TOML: a key after a table's heading would belong to that table, so those without one come first.
  const sections = [...groups].sort(([a], [b]) => Number(a !== null) - Number(b !== null))
  return [
    HEADING,
    ...sections.map(([table, keys]) =>
      table === null
        ? keys.map((key) => renderKey(key, config)).join('')
        : `[${table}]\n${keys.map((key) => renderKey(key, tables[table])).join('')}`,
    ),
  ].join('\n')
}

function renderKey({ name, doc }: ConfigKey, table: unknown): string {
  const value = new Map<string, unknown>(Object.entries(table ?? {})).get(name)
  return `# ${doc}\n${value === undefined ? `# ${name} =\n` : stringify({ [name]: value })}`
}
