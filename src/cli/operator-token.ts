import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CliError, EXIT } from './exit-code.ts'

/** The token that `assay up` wrote beside its database: whoever can read that folder is the operator. */
export function readOperatorToken(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, 'operator-token'), 'utf8').trim()
  } catch (cause) {
    throw new CliError(
      EXIT.environment,
      'operator_token_missing',
      `no operator token in ${dataDir}: run this on the coordinator's machine, as its user`,
      cause,
    )
  }
}
