export type BackupErrorCode =
  | 'backup_target_exists' // nothing is ever written over
  | 'backup_source_missing' // no database there
  | 'backup_malformed' // not a backup, or of another version
  | 'backup_corrupt' // bytes that aren't those that were backed up

/** An operating error of backup or restore; nothing has been left where it was to write. Match on `code`. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly code: BackupErrorCode

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
