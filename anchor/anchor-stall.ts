/**
 * Everything that can stop anchors, judged afresh at each advance: it leaves by itself once its reason is gone, but for
 * `seal_broken`. `inDoubt`: this database may not know the newest truth about the chain, so nothing may be paid.
 */
const STALLS = {
  // The node
  node_syncing: {
    inDoubt: true,
    advice: 'wait: the node is catching up, and what it lacks says nothing yet',
  },
  node_behind: { inDoubt: true, advice: 'wait until the node has the blocks that it had before' },
  tip_moving: { inDoubt: true, advice: 'wait: blocks came faster than they could be judged' },
  block_pruned: {
    inDoubt: true,
    advice:
      'the node has forgotten a block that it needs: connect a node that has it, until the anchor is final',
  },
  deep_reorg: {
    inDoubt: true,
    advice: 'an anchor that was final left the best chain: find out why, then run `assay anchor recover`',
  },
  // The seal
  seal_unconfirmed: { inDoubt: false, advice: 'wait until the first seal is mined' },
  seal_missing: {
    inDoubt: true,
    advice:
      'the seal is not in the chain, or spent by a transaction unknown here: wait until that is final; where none is named, run `assay anchor recover`',
  },
  seal_contested: {
    inDoubt: true,
    advice: 'a transaction unknown here is spending the seal: is another copy of this site running?',
  },
  seal_mismatch: {
    inDoubt: true,
    advice: "the seal is not this key's, or holds another value: check the keystore",
  },
  database_old: {
    inDoubt: true,
    advice: 'an anchor unknown here spent the seal: this database is old; run `assay anchor recover`',
  },
  seal_broken: {
    inDoubt: true,
    advice:
      'a foreign transaction spent the seal for good: this log is closed; open a new one after it (assay log succeed)',
  },
  seal_too_small: { inDoubt: false, advice: 'the fee would leave dust: send coins to the anchor address' },
  // The policy's limits
  ceiling_reached: { inDoubt: false, advice: 'wait until fees fall, or raise anchor.ceilingSatPerKvb' },
  cap_reached: { inDoubt: false, advice: 'wait until fees fall, or raise anchor.capSats' },
  day_cap_reached: { inDoubt: false, advice: 'wait for the next day of blocks, or raise anchor.dayCapSats' },
  // The broadcast
  refused: { inDoubt: false, advice: 'wait for the next block: another attempt follows then' },
  input_spent: { inDoubt: false, advice: 'wait: a block came between judging and sending' },
  send_unknown: { inDoubt: false, advice: 'wait: the node did not answer, and is sent the same bytes again' },
} as const

export type StallCode = keyof typeof STALLS

/** Why no anchor goes forward now. */
export class AnchorStall extends Error {
  override readonly name = 'AnchorStall'
  readonly code: StallCode
  /** The fee that would be needed, where that is the reason. */
  readonly neededSats: bigint | null

  constructor(code: StallCode, message: string, neededSats: bigint | null = null) {
    super(message)
    this.code = code
    this.neededSats = neededSats
  }

  /** What an operator can do. */
  get advice(): string {
    return STALLS[this.code].advice
  }

  get inDoubt(): boolean {
    return STALLS[this.code].inDoubt
  }
}
