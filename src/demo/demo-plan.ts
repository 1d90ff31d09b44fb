/** The demo's figures in one place: small enough for 90 seconds on two cores, large enough to pass through every room. */

/** Rows that the model never saw: half of them the subnet's open dataset, half requests over the Open Inference Protocol. */
export const DATASET_ROWS = 300
export const REQUEST_ROWS = 300
/** Epochs with work. In the last one the first epoch's rewards are unmatured already, so that audits are sampled. */
export const WORK_EPOCHS = 6
/** `--cheat`: one worker more, which alters the outputs of half its jobs from the epoch on whose audits come after its first pay. */
export const CHEAT_EPOCH = 3
export const CHEAT_SHARE = 0.5
export const ROWS_PER_EPOCH = DATASET_ROWS / WORK_EPOCHS
export const REQUESTS_PER_EPOCH = REQUEST_ROWS / WORK_EPOCHS

export const EPOCH = {
  blocks: 8,
  verdictBlocks: 16,
  finalDepth: 6,
  beaconDelay: 1,
  maturityBlocks: 12,
  auditRoundBlocks: 1,
  // Longer than the demo.
  suspensionBlocks: 1_000,
} as const

export const MIN_ACCURACY = 0.96
export const SEAL_SATS = 1_000_000n
export const TREASURY_SATS = 5_000_000n
export const INITIAL_SUBSIDY_MSAT = 100_000_000n
export const HALVING_EPOCHS = 2
export const PAYOUT_THRESHOLD_SATS = 5_000n
/** Blocks from the start of the work until the last payout must be settled; beyond it something is stuck. */
export const MAX_BLOCKS = 160
/** From now to epoch 0: two payments, the seal's confirmations, and the anchor that commits the workers. */
export const BLOCKS_TO_START = 26
export const ORIGIN = 'demo.assay.example/log'
export const SUBNET = 'digits'
