import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'smol-toml'
import { z } from 'zod'
import { modelMacs } from '../../compute/runtime/model-macs.ts'
import { exactProfile } from '../client/exact-profile.ts'
import type { SubnetDraft } from '../client/publish-subnet.ts'
import { readRepository } from '../model-repository/read-repository.ts'
import { readReport } from '../subnet/calibration-report.ts'
import { objective } from '../subnet/objective.ts'
import { spdxExpression } from '../subnet/spdx-expression.ts'
import { CliError, EXIT } from './exit-code.ts'

/** Exact comparison fails honest work only where a machine does: that nobody has seen it in a thousand audits is all that is claimed. */
const EXACT_FALSE_FAIL_RATE = '1/1000'

/** Share of a whole, such as "1/100". */
const share = z.string().regex(/^\d{1,9}\/[1-9]\d{0,8}$/)

const goods = {
  /** How often audits of honest work fail bit by bit; at most "1/20". */
  falseFailRate: share.default(EXACT_FALSE_FAIL_RATE),
  spdx: spdxExpression,
  source: z.string(),
  redistributable: z.boolean(),
}

const subnetFile = z.strictObject({
  name: z.string(),
  weight: z.int().default(1),
  /** The next one where it is left out. */
  effectiveEpoch: z.int().optional(),
  /** Least audited share of a proven worker's receipts, such as "1/100". */
  auditFloor: share,
  /** What workers are paid for: each unit alike, or, with `targetMs` and `limitMs`, the faster the more. */
  objective: objective.default({ name: 'throughput' }),
  /** Private: only auditors see inputs and outputs; no dataset then, and no subsidy. */
  privacy: z.enum(['public', 'private']).default('public'),
  /** The first one, in msat per 10^15 units; requests are free where it is left out. */
  price: z.int().min(0).default(0),
  /** The operator's part of what requesters pay, in 1/10,000. */
  operatorBasisPoints: z.int().min(0).max(10_000).default(0),
  models: z
    .array(
      z.strictObject({
        name: z.string(),
        file: z.string(),
        /** As requests name it. */
        version: z.int().min(1).default(1),
        /** The report of `assay subnet calibrate`: within its bounds then, at its rate, on any device. */
        calibration: z.string().optional(),
        ...goods,
      }),
    )
    .default([]),
  repositories: z
    .array(
      z.strictObject({
        /** In Triton's layout. */
        folder: z.string(),
        /** All of it where it is left out. */
        models: z.array(z.string()).optional(),
        ...goods,
      }),
    )
    .default([]),
  /** A folder of input bundles (PROTOCOL §2), one file each, taken in the order of their names. */
  dataset: z.strictObject({ folder: z.string(), perEpoch: z.int() }).optional(),
})
type SubnetFile = z.infer<typeof subnetFile>

/** A model, and what its repository says of it to no effect. */
interface Found {
  readonly model: SubnetDraft['models'][number]
  readonly ignored: readonly string[]
}

/**
 * A subnet by its TOML file, paths being relative to it; `nextEpoch` where it says none. `ignored`: fields of config.pbtxt that
 * change nothing here, by model. Throws CliError, RepositoryError, and for a model AdmissionError, ModelError and RunError.
 */
export async function readSubnetFile(
  file: string,
  nextEpoch: number,
): Promise<{ draft: SubnetDraft; ignored: Record<string, readonly string[]> }> {
  const {
    effectiveEpoch = nextEpoch,
    auditFloor,
    models,
    repositories,
    dataset,
    price,
    ...rest
  } = parsed(file)
  const folder = dirname(resolve(file))
  const found = await Promise.all(models.map((entry) => singleModel(folder, entry)))
  for (const entry of repositories) found.push(...(await modelsOf(folder, entry)))
  const draft = {
    ...rest,
    price: BigInt(price),
    effectiveEpoch,
    auditFloor: ratioOf(auditFloor),
    models: found.map(({ model }) => model),
    dataset:
      dataset === undefined
        ? null
        : { items: readItems(resolve(folder, dataset.folder)), perEpoch: dataset.perEpoch },
  }
  const named = found.filter(({ ignored }) => ignored.length > 0)
  return { draft, ignored: Object.fromEntries(named.map(({ model, ignored }) => [model.name, ignored])) }
}

async function singleModel(
  folder: string,
  { file: path, name, version, falseFailRate, calibration, ...license }: SubnetFile['models'][number],
): Promise<Found> {
  const file = new Uint8Array(readFileSync(resolve(folder, path)))
  const compared =
    calibration === undefined
      ? { profile: exactProfile(), falseFailRate: ratioOf(falseFailRate) }
      : readReport(readFileSync(resolve(folder, calibration), 'utf8'), hash('sha256', file))
  const unitsPerItem = Number(await modelMacs(file))
  return { model: { name, file, license, ...compared, unitsPerItem, version }, ignored: [] }
}

async function modelsOf(
  folder: string,
  { folder: path, models, falseFailRate, ...license }: SubnetFile['repositories'][number],
): Promise<Found[]> {
  const found: Found[] = []
  const compared = { profile: exactProfile(), falseFailRate: ratioOf(falseFailRate) }
  for (const { name, version, file, ignored } of readRepository(resolve(folder, path), models ?? null)) {
    // One after the other: each is loaded by a process of its own.
    const unitsPerItem = Number(await modelMacs(file))
    found.push({ model: { name, file, license, ...compared, unitsPerItem, version }, ignored })
  }
  return found
}

function ratioOf(text: string): { numerator: number; denominator: number } {
  const [numerator = '0', denominator = '1'] = text.split('/')
  return { numerator: Number(numerator), denominator: Number(denominator) }
}

function readItems(folder: string): Uint8Array[] {
  return readdirSync(folder)
    .sort()
    .map((name) => new Uint8Array(readFileSync(join(folder, name))))
}

function parsed(file: string): SubnetFile {
  try {
    return subnetFile.parse(parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)
    throw new CliError(EXIT.usage, 'subnet_file_invalid', `${file}: ${why}`, cause)
  }
}
