type RecoverErrorCode =
  | 'node_syncing'
  | 'tip_moved' // a reorg while the blocks were read: try again
  | 'checkpoint_unknown' // the log at hand has no checkpoint that an anchor commits to
  | 'fee_unknown' // the node lacks the block's undo data, which hold what a top-up brought in

/** Why the anchors can't be rebuilt now. The database is as it was. */
export class RecoverError extends Error {
  override readonly name = 'RecoverError'
  readonly code: RecoverErrorCode

  constructor(code: RecoverErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
