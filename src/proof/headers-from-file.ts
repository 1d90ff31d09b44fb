import { readFile } from 'node:fs/promises'
import { checkHeaderChain, type HeaderChain, type HeaderChainOptions } from '../../anchor/header-chain.ts'
import type { NetworkName } from '../../anchor/network.ts'
import { ProofError } from './proof-error.ts'

/**
 * Checked headers from a file of 80-byte records, as `headerAt` of verifyProof takes them.
 * Throws ProofError `headers_unreadable` and HeaderError.
 */
export async function headersFromFile(
  path: string,
  network: NetworkName,
  options: HeaderChainOptions = {},
): Promise<{ chain: HeaderChain; headerAt: (height: number) => Uint8Array | null }> {
  const chain = checkHeaderChain(await read(path), network, options)
  const first = options.startHeight ?? 0
  return {
    chain,
    headerAt: (height) => (height < first || height > chain.tipHeight ? null : chain.headerAt(height)),
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new ProofError('headers_unreadable', `${path} can't be read`, cause)
  }
}
