import { Transaction } from 'bitcoinjs-lib'
import { z } from 'zod'
import { opReturnScript, PAYLOAD_BYTES } from '../../anchor/commitment.ts'
import { readAnswer } from '../../anchor/node-answer.ts'
import type { BitcoinRpc } from '../../anchor/rpc.ts'
import { RpcError } from '../../anchor/rpc-error.ts'

const count = z.int().min(0)
const chainInfo = z.object({
  chain: z.string(),
  blocks: count,
  headers: count,
  mediantime: count,
  time: count,
  initialblockdownload: z.boolean(),
  pruned: z.boolean(),
  pruneheight: count.optional(),
})
const networkInfo = z.object({ subversion: z.string(), connections: count, timeoffset: z.int() })
const zmqInfo = z.array(z.object({ type: z.string(), address: z.string() }))
const acceptance = z.tuple([z.object({ 'reject-reason': z.string().optional() })])

/** What a node says of itself, as Bitcoin Core's RPC help documents it. Times are Unix seconds. */
export interface NodeFacts {
  readonly chain: z.infer<typeof chainInfo>
  readonly network: z.infer<typeof networkInfo>
  readonly zmq: z.infer<typeof zmqInfo>
  readonly hasWallets: boolean
  /** Why it would refuse a transaction with an anchor's data output; null when only its coin is missing. */
  readonly dataRefusal: string | null
}

/** Bitcoin Core, rpc/protocol.h. */
const METHOD_NOT_FOUND = -32601

/** Throws RpcError, NodeError. */
export async function askNode(rpc: BitcoinRpc): Promise<NodeFacts> {
  const ask = async <T>(schema: z.ZodType<T>, method: string, ...params: unknown[]): Promise<T> =>
    readAnswer(schema, method, await rpc.call(method, ...params))
  return {
    chain: await ask(chainInfo, 'getblockchaininfo'),
    network: await ask(networkInfo, 'getnetworkinfo'),
    zmq: await ask(zmqInfo, 'getzmqnotifications'),
    hasWallets: await hasWallets(rpc),
    dataRefusal: await dataRefusal(ask),
  }
}

async function hasWallets(rpc: BitcoinRpc): Promise<boolean> {
  try {
    await rpc.call('listwallets')
    return true
  } catch (error) {
    if (error instanceof RpcError && error.rpcCode === METHOD_NOT_FOUND) return false
    throw error
  }
}

/**
 * Asks for the policy itself, since its settings have other names and defaults in each version: a transaction of no coin with an
 * anchor's outputs. What nodes refuse by form is refused before they look for the coin (Bitcoin Core, PreChecks in validation.cpp).
 */
async function dataRefusal(
  ask: <T>(schema: z.ZodType<T>, method: string, ...params: unknown[]) => Promise<T>,
): Promise<string | null> {
  const sample = new Transaction()
  sample.version = 2
  sample.addInput(new Uint8Array(32).fill(1), 0)
  sample.addOutput(Uint8Array.of(0x51, 32, ...new Uint8Array(32).fill(2)), 1_000n) // OP_1 and 32 bytes: P2TR
  sample.addOutput(opReturnScript(new Uint8Array(PAYLOAD_BYTES)), 0n)
  const [{ 'reject-reason': reason = 'none' }] = await ask(acceptance, 'testmempoolaccept', [sample.toHex()])
  return reason === 'missing-inputs' ? null : reason
}
