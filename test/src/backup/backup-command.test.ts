import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, onTestFinished, test, vi } from 'vitest'
import { addBackup, addRestore } from '../../../src/cli/commands/backup.ts'
import { EXIT } from '../../../src/cli/exit-code.ts'
import { ENTRIES, makeDataFolder } from './data-folder.ts'

/** Runs one command line. @returns what it wrote to standard output. */
async function assay(...args: string[]): Promise<string> {
  let written = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += text
    return true
  })
  onTestFinished(() => write.mockRestore())
  const program = new Command('assay').exitOverride()
  addBackup(program)
  addRestore(program)
  await program.parseAsync(args, { from: 'user' })
  write.mockRestore()
  return written
}

test('a backup says what it lacks, and a restored one that it must not sign when it is old', async () => {
  const { configFile, beside } = makeDataFolder()
  const taken = await assay('backup', '--config', configFile, '--out', beside('backup'))
  expect(taken).toContain(`a log of ${ENTRIES} entries`)
  expect(taken).toContain('hard links')
  expect(taken).toContain('Without the keystore')
  const restored = await assay('restore', '--from', beside('backup'), '--to', beside('restored'))
  expect(restored).toContain(`Put the keystore at ${join(beside('restored'), 'keystore.json')}`)
  expect(restored).toContain('WARNING')
  expect(restored).toContain('must not sign')
  expect(readFileSync(join(beside('restored'), 'assay.toml'), 'utf8')).toContain('regtest')
})

test('--json gives the manifest, the folder and the warning', async () => {
  const { configFile, beside } = makeDataFolder()
  const args = ['--config', configFile, '--out', beside('backup'), '--with-keystore', '--json']
  const taken = JSON.parse(await assay('backup', ...args))
  expect(taken).toMatchObject({ version: 1, folder: beside('backup'), log: { size: ENTRIES } })
  expect(Object.keys(taken.files)).toContain('keystore.json')
  const restored = JSON.parse(
    await assay('restore', '--from', beside('backup'), '--to', beside('restored'), '--json'),
  )
  expect(restored).toMatchObject({ folder: beside('restored'), log: taken.log })
  expect(restored.warning).toContain('must not sign')
})

test('a folder that is there is a usage error, a damaged backup a failed check', async () => {
  const { configFile, dataDir, beside } = makeDataFolder()
  const out = beside('backup')
  await assay('backup', '--config', configFile, '--out', out)
  await expect(assay('backup', '--config', configFile, '--out', out)).rejects.toMatchObject({
    exitCode: EXIT.usage,
    code: 'backup_target_exists',
  })
  await expect(assay('restore', '--from', dataDir, '--to', beside('a'))).rejects.toMatchObject({
    exitCode: EXIT.usage,
    code: 'backup_malformed',
  })
  appendFileSync(join(out, 'payloads'), 'x')
  await expect(assay('restore', '--from', out, '--to', beside('b'))).rejects.toMatchObject({
    exitCode: EXIT.checkFailed,
    code: 'backup_corrupt',
  })
})
