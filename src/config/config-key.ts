import { z } from 'zod'
import { configSchema } from './config-schema.ts'

/** `table` is null for the keys that stand before the first table. */
export interface ConfigKey {
  readonly table: string | null
  readonly name: string
  readonly doc: string
  /** `anchor.everyBlocks` is ASSAY_ANCHOR_EVERY_BLOCKS. */
  readonly variable: string
}

export const CONFIG_KEYS: readonly ConfigKey[] = Object.entries(configSchema.shape).flatMap(
  ([name, field]) =>
    field instanceof z.ZodObject
      ? Object.entries(field.shape).map(([inner, { description }]) => configKey(name, inner, description))
      : [configKey(null, name, field.description)],
)

function configKey(table: string | null, name: string, doc = ''): ConfigKey {
  const variable = table === null ? variableOf(name) : `${variableOf(table)}_${screaming(name)}`
  return { table, name, doc, variable }
}

/** The prefix, too, of every key in a table of that name. */
export function variableOf(name: string): string {
  return `ASSAY_${screaming(name)}`
}

function screaming(name: string): string {
  return name.replace(/[A-Z]/g, '_$&').toUpperCase()
}
