import { NodeError } from '../../anchor/node-error.ts'

/** Stands for what a pruned node no longer has: it can't be checked there, and nothing is wrong with it. */
export const PRUNED = Symbol('pruned')

export async function unlessPruned<T>(asked: Promise<T>): Promise<T | typeof PRUNED> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof NodeError && error.code === 'block_pruned') return PRUNED
    throw error
  }
}
