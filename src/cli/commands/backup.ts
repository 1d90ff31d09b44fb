import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { BackupError, type BackupErrorCode } from '../../backup/backup-error.ts'
import type { Manifest } from '../../backup/manifest.ts'
import { restoreBackup } from '../../backup/restore-backup.ts'
import { type Backup, takeBackup } from '../../backup/take-backup.ts'
import { loadConfig } from '../../config/load-config.ts'
import { example } from '../example.ts'
import { CliError, EXIT, type ExitCode } from '../exit-code.ts'
import { openProgressLine } from '../progress-line.ts'
import { openTerminal } from '../terminal.ts'

interface BackupFlags {
  readonly config: string
  readonly out: string
  readonly withKeystore?: boolean
  readonly json?: boolean
}

interface RestoreFlags {
  readonly from: string
  readonly to: string
  readonly json?: boolean
}

export function addBackup(program: Command): void {
  program
    .command('backup')
    .description('copy database, blobs and payloads into a new folder, while the coordinator runs or not')
    .requiredOption('--config <file>', "the coordinator's configuration")
    .requiredOption('--out <folder>', 'a new folder, best on another disk')
    .option('--with-keystore', 'the keystore, too: whoever gets it and the passphrase has the coins')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay backup --config assay/assay.toml --out /mnt/backup/2026-01-31'))
    .action(backup)
}

export function addRestore(program: Command): void {
  program
    .command('restore')
    .description('make a data folder of a backup, every byte checked')
    .requiredOption('--from <folder>', 'what `assay backup` wrote')
    .requiredOption('--to <folder>', 'the data folder to be; nothing may be there')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay restore --from /mnt/backup/2026-01-31 --to assay'))
    .action(restore)
}

async function backup(flags: BackupFlags): Promise<void> {
  const { dataDir, origin, network } = loadConfig({ file: flags.config, env: process.env })
  const progress = openProgressLine('Blobs')
  const taken = await translated(() =>
    takeBackup({
      dataDir,
      origin,
      network,
      configFile: flags.config,
      out: resolve(flags.out),
      withKeystore: flags.withKeystore === true,
      onProgress: progress.show,
    }),
  ).finally(progress.close)
  openTerminal(flags.json === true).result(taken, renderBackup)
}

async function restore(flags: RestoreFlags): Promise<void> {
  const to = resolve(flags.to)
  const progress = openProgressLine('Checking blobs')
  const manifest = await translated(() =>
    restoreBackup({ from: resolve(flags.from), to, onProgress: progress.show }),
  ).finally(progress.close)
  openTerminal(flags.json === true).result(
    { ...manifest, folder: to, warning: forkWarning(manifest) },
    (restored) => renderRestored(restored),
  )
}

const EXIT_OF: Readonly<Record<BackupErrorCode, ExitCode>> = {
  backup_target_exists: EXIT.usage,
  backup_source_missing: EXIT.usage,
  backup_malformed: EXIT.usage,
  backup_corrupt: EXIT.checkFailed,
}

async function translated<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    throw new CliError(EXIT_OF[error.code], error.code, error.message, error)
  }
}

function renderBackup({ folder, log, blobs, linkedBlobs, files }: Backup): string {
  const lines = [
    `Wrote ${folder}: a log of ${log.size} entries, ${blobs.count} blobs of ${blobs.bytes} bytes.`,
  ]
  if (linkedBlobs > 0) {
    lines.push(`${linkedBlobs} blobs are hard links on this disk: copy the folder to another one.`)
  }
  lines.push(
    files['keystore.json'] === undefined
      ? 'Without the keystore: keep its file or its words elsewhere, or nothing here can ever sign.'
      : 'With the keystore: guard this folder as you guard the coins.',
  )
  return lines.join('\n')
}

/** The guard against an old database (src/coordinator/halt.ts) sees what is anchored, and nothing of what came after. */
function forkWarning({ log, takenAt }: Manifest): string {
  return (
    `This log has ${log.size} entries, as of ${takenAt}. A restored older database must not sign: it would fork the log and ` +
    'could pay again. The coordinator halts when an anchor that it does not know has spent its seal; entries given out ' +
    'since the last anchor it can not know of. Start it only when nobody has a checkpoint of more than ' +
    `${log.size} entries: ask mirrors, witnesses and workers.`
  )
}

function renderRestored({
  folder,
  files,
  warning,
}: Manifest & { readonly folder: string; readonly warning: string }): string {
  const lines = [`Restored ${folder}; every file and blob is as it was backed up.`]
  if (files['keystore.json'] === undefined)
    lines.push(`Put the keystore at ${join(folder, 'keystore.json')}.`)
  lines.push(`Check that dataDir in ${join(folder, 'assay.toml')} is ${folder}.`, `WARNING: ${warning}`)
  return lines.join('\n')
}
