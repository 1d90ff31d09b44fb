import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CliError, EXIT } from './exit-code.ts'

/** The keystore's passphrase: from a file, the environment, or the terminal; never from an argument that `ps` shows. */
export async function readPassphrase(options: { passphraseFile?: string }): Promise<string> {
  if (options.passphraseFile !== undefined) return fromFile(options.passphraseFile)
  const { ASSAY_PASSPHRASE } = process.env
  if (ASSAY_PASSPHRASE !== undefined && ASSAY_PASSPHRASE !== '') return ASSAY_PASSPHRASE
  if (process.stdin.isTTY) return fromPrompt()
  throw new CliError(
    EXIT.usage,
    'passphrase_missing',
    'the keystore needs a passphrase: set ASSAY_PASSPHRASE or --passphrase-file, or run this in a terminal',
  )
}

function fromFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new CliError(EXIT.usage, 'passphrase_unreadable', `${path} can't be read`, cause)
  }
}

async function fromPrompt(): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  process.stderr.write('Passphrase of the keystore: ')
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await prompt.question('')
  } finally {
    prompt.close()
    process.stderr.write('\n')
  }
}
