import { z } from 'zod'
import { decodeCbor, encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { modelProfile } from '../../compute/work/model-profile.ts'
import { bytes32, plainName } from '../../compute/work/record.ts'
import { money } from '../log/money.ts'
import { MAX_FALSE_FAIL_RATE } from '../rules/cusum-evidence.ts'
import { MAX_PRICE_MSAT, MIN_PRICE_MSAT } from '../rules/price.ts'
import { objective } from './objective.ts'
import { spdxExpression } from './spdx-expression.ts'

const MAX_DEFINITION_BYTES = 64 * 1024
export const MAX_MODELS = 64
const MAX_DATASET_ITEMS = 1_000_000

export const MODEL_NAME = /^[a-zA-Z0-9._-]{1,64}$/

const count = z.int().min(1)

const model = z.strictObject({
  bytes: count,
  digest: bytes32,
  /** p0: the calibrated rate at which audits of honest work fail. Above 0: no calibration shows that there are none. */
  falseFailRate: z.strictObject({ denominator: count, numerator: count }),
  license: z.strictObject({
    redistributable: z.boolean(),
    source: z.string().max(512),
    spdx: spdxExpression,
  }),
  name: z.string().regex(MODEL_NAME),
  profile: modelProfile,
  /** Multiply–accumulates for one row: the unit of work (MAC). */
  unitsPerItem: count,
  /** As requests name it. Another version is another file, and takes this one's place by another definition. */
  version: count,
})

export const definition = z.strictObject({
  v: z.literal(1),
  auditFloor: z.strictObject({ denominator: count, numerator: z.int().min(0) }),
  /** The open dataset whose items the beacon assigns; `list` names the blob of input digests. */
  dataset: z
    .strictObject({ items: z.int().min(1).max(MAX_DATASET_ITEMS), list: bytes32, perEpoch: count })
    .nullable(),
  effectiveEpoch: z.int().min(0),
  models: z.array(model).min(1).max(MAX_MODELS),
  name: plainName,
  objective,
  /** The operator's part of what requesters pay, in 1/10,000. */
  operatorBasisPoints: z.int().min(0).max(10_000),
  /** The first one, in msat per 10^15 units; 0: requests are free. */
  price: money.refine(
    (msat) => msat === 0n || (msat >= MIN_PRICE_MSAT && msat <= MAX_PRICE_MSAT),
    `expected 0, or ${MIN_PRICE_MSAT} to ${MAX_PRICE_MSAT}`,
  ),
  /** Who sees inputs and outputs: everybody, or the drawn auditors alone. */
  privacy: z.enum(['public', 'private']),
  weight: z.int().min(1).max(1_000_000),
})

export type SubnetDefinition = z.infer<typeof definition>
export type SubnetModel = z.infer<typeof model>

export class DefinitionError extends Error {
  readonly code = 'subnet_malformed'
}

/** Definition from untrusted bytes: canonical CBOR, at most 64 KiB, exactly the keys of PROTOCOL §4. */
export function parseDefinition(bytes: Uint8Array): SubnetDefinition {
  let value: unknown
  try {
    value = decodeCbor(bytes, { maxBytes: MAX_DEFINITION_BYTES })
  } catch (cause) {
    throw new DefinitionError('subnet definition is not canonical CBOR', { cause })
  }
  return checked(value)
}

export function encodeDefinition(value: SubnetDefinition): Uint8Array {
  return encodeCbor(checked(value))
}

function checked(untrusted: unknown): SubnetDefinition {
  const result = definition.safeParse(untrusted)
  if (!result.success) throw new DefinitionError(z.prettifyError(result.error))
  const value = result.data
  if (value.auditFloor.numerator > value.auditFloor.denominator) {
    throw new DefinitionError('auditFloor: expected a ratio of at most 1')
  }
  if (value.privacy === 'private' && value.dataset !== null)
    throw new DefinitionError('dataset: expected null, since private work earns no subsidy')
  if (new Set(value.models.map((m) => m.name)).size !== value.models.length) {
    throw new DefinitionError('models: expected unique names')
  }
  if (new Set(value.models.map((m) => Buffer.from(m.digest).toString('hex'))).size !== value.models.length) {
    throw new DefinitionError('models: expected unique digests')
  }
  const noisy = value.models.find(({ falseFailRate: { numerator, denominator } }) => {
    return (
      BigInt(numerator) * MAX_FALSE_FAIL_RATE.denominator >
      BigInt(denominator) * MAX_FALSE_FAIL_RATE.numerator
    )
  })
  if (noisy !== undefined)
    throw new DefinitionError(`models: falseFailRate of ${noisy.name}: expected at most 1/20`)
  const blocked = value.models.find((m) => !m.license.redistributable)
  // A lease hands the model's bytes to strangers (DESIGN §9: leased only where it may be passed on).
  if (blocked !== undefined)
    throw new DefinitionError(`models: ${blocked.name} may not be passed on to workers`)
  return value
}
