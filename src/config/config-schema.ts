/**
 * Every key of the configuration: what it may hold, and the line that documents it in the file that `assay init` writes.
 * Tables are one level deep.
 */
import { z } from 'zod'
import { NETWORK_NAMES } from '../../anchor/network.ts'
import { MAX_ORIGIN_LENGTH } from '../log/entry.ts'
import { isKeyName } from '../log/note-key.ts'
import { checkTogether } from './check-together.ts'
import { httpUrl, integer, listOf, money, text, witness } from './config-value.ts'

/** About 19 years: any distance in blocks is below it. */
const MAX_BLOCKS = 1_000_000
const MAX_HEIGHT = 2 ** 31
/** More than one process answers. */
const MAX_PER_MINUTE = 10_000_000

const bitcoind = z.strictObject({
  url: httpUrl.describe("bitcoind's RPC."),
  cookieFile: z
    .exactOptional(text)
    .describe("bitcoind's cookie, in its data folder (regtest/.cookie and so on); or username and password."),
  username: z.exactOptional(text).describe('Of rpcauth in bitcoin.conf, where there is no cookie.'),
  password: z.exactOptional(text).describe('Better set as ASSAY_BITCOIND_PASSWORD.'),
  zmqUrl: z
    .exactOptional(text.regex(/^(tcp|ipc):\/\//, 'expected tcp://… or ipc://…'))
    .describe('zmqpubsequence in bitcoin.conf: blocks are seen at once, not at the next poll.'),
  pollMs: integer(50, 600_000).describe('Milliseconds between polls, with or without ZMQ.'),
  pinnedBlock: z
    .exactOptional(text.regex(/^\d{1,9}:[0-9a-f]{64}$/, 'expected height:hash'))
    .describe('A recent block as height:hash; a node without it follows another chain and is refused.'),
})

const anchor = z.strictObject({
  method: z
    .enum(['dual', 'taproot'])
    .describe(
      'dual: OP_RETURN and Taproot, 162 vB. taproot: no data output, 111 vB, no .ots proofs. Fixed in genesis.',
    ),
  everyBlocks: integer(1, MAX_BLOCKS).describe('Blocks between anchors.'),
  targetBlocks: integer(1, 1_008).describe(
    'Blocks within which an anchor or payout should be mined; for the fee estimate.',
  ),
  floorSatPerKvb: money(1_000n).describe('Least fee rate, in satoshis per 1,000 vB.'),
  ceilingSatPerKvb: money(1_000n).describe('Greatest fee rate, in satoshis per 1,000 vB.'),
  capSats: money(1n).describe('Most that one anchor may cost; then it stalls and says so.'),
  dayCapSats: money(1n).describe('Most that the anchors of 144 blocks may cost.'),
  heartbeatBlocks: integer(1, MAX_BLOCKS).describe(
    'Age of the last anchor from which a log that has not grown is anchored again.',
  ),
  topUpBelowBlocks: integer(1, MAX_BLOCKS).describe(
    'Blocks of runway below which coins at the anchor address refill the seal.',
  ),
})

const epoch = z.strictObject({
  startHeight: integer(0, MAX_HEIGHT).describe(
    'First block of epoch 0. Fixed in genesis, as all of this table.',
  ),
  blocks: integer(1, MAX_BLOCKS).describe('Blocks of an epoch.'),
  verdictBlocks: integer(1, MAX_BLOCKS).describe(
    "Blocks after an epoch's end by which its verdicts must be anchored.",
  ),
  finalDepth: integer(1, 1_000).describe('Confirmations from which a block counts as final.'),
  beaconDelay: integer(1, 1_000).describe(
    'Blocks from an anchor to the block whose hash draws its audits; at least 6.',
  ),
  maturityBlocks: integer(1, MAX_BLOCKS).describe('Blocks from settlement until rewards can be paid.'),
  auditRoundBlocks: integer(1, MAX_BLOCKS).describe('Blocks that an auditor has before another is drawn.'),
  suspensionBlocks: integer(1, MAX_BLOCKS).describe('Blocks until a suspended worker may work again.'),
})

const subsidy = z.strictObject({
  initialMsat: money().describe('Millisatoshis of epoch 0. Fixed in genesis, as all of this table.'),
  halvingEpochs: integer(1, MAX_BLOCKS).describe('Epochs until it halves.'),
  capMsat: money().describe('Most that all epochs together may pay.'),
})

export const configSchema = z
  .strictObject({
    network: z.enum(NETWORK_NAMES).describe('mainnet, testnet4, signet or regtest.'),
    dataDir: text.describe('Folder of the database, the blobs, the keystore and the payloads.'),
    origin: text
      .max(MAX_ORIGIN_LENGTH)
      .refine(isKeyName, 'expected no space and no "+" (C2SP signed-note)')
      .describe("The log's name for ever, such as assay.example/log (C2SP tlog-checkpoint)."),
    witnesses: listOf(witness).describe(
      'C2SP tlog-witnesses that cosign the log, each as "<submission prefix> <verifier key>".',
    ),
    listen: z.strictObject({
      host: text.describe('Address to listen on; 127.0.0.1 keeps it to this machine.'),
      port: integer(0, 65_535).describe('0 takes any free port.'),
      proxies: integer(0, 8).describe(
        'Reverse proxies in front of it, whose X-Forwarded-For is believed; without any, nobody is.',
      ),
    }),
    limits: z.strictObject({
      readsPerMinute: integer(1, MAX_PER_MINUTE).describe('GETs of one address or API key in a minute.'),
      requestsPerMinute: integer(1, MAX_PER_MINUTE).describe(
        'Whatever else one address or API key asks in a minute: inference, and what workers send.',
      ),
      registrationsPerHour: integer(1, MAX_PER_MINUTE).describe(
        "Workers' keys that one address may register in an hour; a worker that starts registers again.",
      ),
    }),
    bitcoind,
    anchor,
    epoch,
    subsidy,
    shares: z.strictObject({
      auditBasisPoints: integer(0, 500).describe(
        'Part of the subsidy for audits, in 1/10,000; at most 500. Fixed in genesis.',
      ),
    }),
    reserve: z.strictObject({
      feeSats: money().describe(
        'Satoshis of the treasury that are never promised to anyone: fees of payouts.',
      ),
    }),
    payout: z.strictObject({
      // 546: what nodes relay to a P2PKH address, the dearest of those that are paid.
      thresholdSats: money(546n).describe('Least matured balance that is paid out.'),
      capSats: money(1n).describe('Most that the fees of one payout may be, its bumps included.'),
      payeeCapSats: money(546n).describe(
        'Most that one payee gets of one payout; the rest comes with the next.',
      ),
      runCapSats: money(546n).describe('Most that one payout may pay.'),
      dayCapSats: money(546n).describe('Most that the payouts planned within 144 blocks may pay.'),
      feeShareBasisPoints: integer(1, 10_000).describe(
        'Most that these fees may be of what it pays, in 1/10,000; until then it waits.',
      ),
      maxPayees: integer(1, 2_000).describe(
        'Payees of one payout; 2,000 outputs stay below the 100,000 vB that nodes relay.',
      ),
      signer: z
        .enum(['keystore', 'psbt'])
        .describe('keystore: signed here. psbt: exported, signed elsewhere and imported again.'),
      treasuryKey: z
        .exactOptional(text.regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits'))
        .describe(
          "With signer psbt: the treasury's x-only internal key; its secret need not be on this machine.",
        ),
    }),
    leases: z.strictObject({
      deadlineMs: integer(1_000, 86_400_000).describe('Milliseconds from lease to deadline.'),
      maxPerWorker: integer(1, 65_536).describe('Jobs that one worker may hold at a time.'),
    }),
    audits: z.strictObject({
      maxOpenPerAuditor: integer(1, 1_000_000).describe(
        'Audits that one auditor may have before it; when all have, new keys get no work.',
      ),
      canaryBasisPoints: integer(0, 10_000).describe(
        'Canaries for each 10,000 requests leased, while there are any: known answers that workers can not tell apart.',
      ),
      plantedPerEpoch: integer(0, 256).describe(
        'Canaries of an epoch that the operator answers wrong under a key of its own, to see what auditors say.',
      ),
    }),
  })
  .superRefine(checkTogether)

export type Config = z.output<typeof configSchema>
