import { z } from 'zod'
import { AmountError, parseBtcAmount } from './amount.ts'
import { NodeError } from './node-error.ts'

/** The fields that are read from bitcoind's answers, as Bitcoin Core's RPC help documents them. */

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in hex')
const bytes = z
  .string()
  .regex(/^([0-9a-f]{2})*$/, 'expected bytes in hex')
  .transform((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
const count = z.number().int().nonnegative()
const sats = z.union([z.number(), z.string()]).transform((value, context) => {
  try {
    return parseBtcAmount(value)
  } catch (error) {
    if (!(error instanceof AmountError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
    return z.NEVER
  }
})

export const hashAnswer = hash
export const bytesAnswer = bytes
export const chainAnswer = z.object({
  chain: z.string(),
  blocks: count,
  bestblockhash: hash,
  initialblockdownload: z.boolean(),
  pruned: z.boolean(),
})
export const blockAnswer = z.object({ tx: z.array(hash).min(1) })
/** Without the block's undo data there is no fee. */
export const feeAnswer = z.object({ fee: sats.optional() })
export const txOutAnswer = z
  .object({
    confirmations: count,
    value: sats,
    coinbase: z.boolean(),
    scriptPubKey: z.object({ hex: bytes }),
  })
  .nullable()
export const mempoolEntryAnswer = z.object({
  vsize: count.min(1),
  fees: z.object({ base: sats, descendant: sats }),
})
export const spendingAnswer = z.array(z.object({ spendingtxid: hash.optional() })).length(1)
export const feeEstimateAnswer = z.object({ feerate: sats.optional() })
export const mempoolInfoAnswer = z.object({
  mempoolminfee: sats,
  minrelaytxfee: sats,
  incrementalrelayfee: sats,
})
export const unspentAnswer = z.array(
  z.object({ txid: hash, vout: count, amount: sats, confirmations: count, scriptPubKey: bytes }),
)
export const descriptorInfoAnswer = z.object({ descriptor: z.string() })
/** Labels of a wallet, or addresses of a descriptor. */
export const textsAnswer = z.array(z.string())
/** `range`: the first and the last child, of one that ends in `*`. */
export const descriptorListAnswer = z.object({
  descriptors: z.array(z.object({ desc: z.string(), range: z.tuple([z.int(), z.int()]).optional() })),
})
export const importAnswer = z.array(
  z.object({ success: z.boolean(), error: z.object({ code: z.number(), message: z.string() }).optional() }),
)

/** `value` as `schema` has it. Throws NodeError `node_malformed`. */
export function readAnswer<T>(schema: z.ZodType<T>, method: string, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new NodeError('node_malformed', `${method}: ${z.prettifyError(result.error)}`, {
    cause: result.error,
  })
}
