import { parse, TomlError } from 'smol-toml'
import { NETWORK_NAMES } from '../../anchor/network.ts'
import { ConfigError } from './config-error.ts'
import { CONFIG_KEYS, variableOf } from './config-key.ts'
import { type Config, configSchema } from './config-schema.ts'
import { networkDefaults } from './network-defaults.ts'

type Table = { [key: string]: unknown }

export interface ConfigOverrides {
  /** The process's environment; of it only the ASSAY_ variables of known keys count. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Dotted key to text, such as `{'anchor.everyBlocks': '6'}`. */
  readonly flags?: Readonly<Record<string, string | undefined>>
}

/** Defaults of the network, `toml` over them, environment over that, flags over all. Throws ConfigError. */
export function parseConfig(toml: string, { env = {}, flags = {} }: ConfigOverrides = {}): Config {
  const given = [parseToml(toml), fromEnvironment(env), fromFlags(flags)].reduce(overlay)
  const network = NETWORK_NAMES.find((name) => name === given.network)
  // Without a known network there are no defaults, and its own message would drown among those of the rest.
  if (network === undefined) {
    throw new ConfigError('config_invalid', 'network', `network: expected one of ${NETWORK_NAMES.join(', ')}`)
  }
  const parsed = configSchema.safeParse(overlay({ ...networkDefaults(network) }, given))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  if (issue?.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0]].join('.')
    throw new ConfigError('config_unknown_key', key, `${key}: no such key`)
  }
  const key = issue?.path.join('.') ?? ''
  throw new ConfigError('config_invalid', key, `${key}: ${issue?.message}`, parsed.error)
}

function parseToml(toml: string): Table {
  try {
    return parse(toml, { integersAsBigInt: true, unsafeKeyBehaviour: 'throw' })
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    throw new ConfigError('config_malformed', null, cause.message, cause)
  }
}

function fromEnvironment(env: NonNullable<ConfigOverrides['env']>): Table {
  const known = new Map(CONFIG_KEYS.map(({ variable, table, name }) => [variable, { table, name }]))
  const prefixes = CONFIG_KEYS.flatMap(({ table }) => (table === null ? [] : [`${variableOf(table)}_`]))
  let given: Table = {}
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined) continue
    const key = known.get(variable)
    if (key !== undefined) given = overlay(given, nested(key.table, key.name, value))
    else if (prefixes.some((prefix) => variable.startsWith(prefix))) {
      throw new ConfigError('config_unknown_key', variable, `${variable}: no key has that variable`)
    }
  }
  return given
}

function fromFlags(flags: NonNullable<ConfigOverrides['flags']>): Table {
  const known = new Map(
    CONFIG_KEYS.map((key) => [key.table === null ? key.name : `${key.table}.${key.name}`, key]),
  )
  let given: Table = {}
  for (const [flag, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const key = known.get(flag)
    if (key === undefined) throw new ConfigError('config_unknown_key', flag, `${flag}: no such key`)
    given = overlay(given, nested(key.table, key.name, value))
  }
  return given
}

function nested(table: string | null, name: string, value: string): Table {
  return table === null ? { [name]: value } : { [table]: { [name]: value } }
}

/** Tables merge key by key; whatever else is over replaces what is under. */
function overlay(under: Table, over: Table): Table {
  const merged = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isTable(below) && isTable(value) ? overlay(below, value) : value
  }
  return merged
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
