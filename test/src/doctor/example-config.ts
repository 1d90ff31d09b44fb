import type { Config } from '../../../src/config/config-schema.ts'
import { type ConfigOverrides, parseConfig } from '../../../src/config/parse-config.ts'

export const ORIGIN = 'test.assay.example/log'

/** A whole configuration with as little in it as may be. */
export function exampleConfig(flags: ConfigOverrides['flags'] = {}): Config {
  return parseConfig('', {
    flags: {
      network: 'regtest',
      dataDir: '/nowhere',
      origin: ORIGIN,
      'epoch.startHeight': '100',
      'bitcoind.cookieFile': '/nowhere/.cookie',
      ...flags,
    },
  })
}
