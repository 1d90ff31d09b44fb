import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CliError, EXIT } from './exit-code.ts'

const FILE = 'operator-token'

/** The token of a coordinator that starts: made once; whoever can read the data folder may use it. Throws CliError. */
export function makeOperatorToken(dataDir: string): string {
  try {
    const token = `${randomBytes(32).toString('hex')}\n`
    writeFileSync(join(dataDir, FILE), token, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readOperatorToken(dataDir)
}

/** The token that `assay up` wrote beside its database: whoever can read that folder is the operator. Throws CliError. */
export function readOperatorToken(dataDir: string): string {
  const token = readFile(dataDir)
  // A crash may leave the file without its text, and an empty token would open everything to everybody.
  if (token === '') {
    const text = `${join(dataDir, FILE)} is empty: remove it, and \`assay up\` writes another`
    throw new CliError(EXIT.environment, 'operator_token_empty', text)
  }
  return token
}

function readFile(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, FILE), 'utf8').trim()
  } catch (cause) {
    throw new CliError(
      EXIT.environment,
      'operator_token_missing',
      `no operator token in ${dataDir}: run this on the coordinator's machine, as its user`,
      cause,
    )
  }
}
