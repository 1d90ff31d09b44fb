import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'
import type { Config } from './config-schema.ts'
import { type ConfigOverrides, parseConfig } from './parse-config.ts'

/** `file`: path of the TOML file, null for none. Throws ConfigError. */
export function loadConfig({ file, ...overrides }: { file: string | null } & ConfigOverrides): Config {
  return parseConfig(file === null ? '' : read(file), overrides)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('config_unreadable', null, `${path} can't be read`, cause)
  }
}
