import type { Config } from '../config/config-schema.ts'
import { checkBitcoind } from './check-bitcoind.ts'
import { checkCompute } from './check-compute.ts'
import { checkDataFolder } from './check-data-folder.ts'
import { checkKeystore } from './check-keystore.ts'
import { checkNodeVersion } from './check-node-version.ts'
import { checkPort } from './check-port.ts'
import type { Finding } from './finding.ts'

/** Looks at everything that a coordinator needs, one after the other, and changes nothing. */
export async function* examine(config: Config): AsyncGenerator<Finding> {
  yield checkNodeVersion(process.versions.node)
  yield* await checkBitcoind(config)
  yield* checkDataFolder(config)
  yield checkKeystore(config)
  yield await checkPort(config)
  yield await checkCompute()
}
