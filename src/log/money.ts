import { z } from 'zod'

/** 0 ≤ n < 2^63 (PROTOCOL §1): bigint here, the shortest integer in CBOR. */
export const money = z
  .union([z.bigint(), z.int().transform(BigInt)], 'expected an integer')
  .refine((amount) => amount >= 0n && amount < 2n ** 63n, 'expected 0 to 2^63 - 1')
