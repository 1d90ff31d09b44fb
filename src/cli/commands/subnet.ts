import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { parse } from 'smol-toml'
import { z } from 'zod'
import { modelMacs } from '../../../compute/runtime/model-macs.ts'
import { exactProfile } from '../../client/exact-profile.ts'
import { publishSubnet } from '../../client/publish-subnet.ts'
import { readStatus } from '../../client/read-status.ts'
import { thawModel } from '../../client/thaw-model.ts'
import { loadConfig } from '../../config/load-config.ts'
import { modelOf } from '../../rules/standings.ts'
import { readReport } from '../../subnet/calibration-report.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { readOperatorToken } from '../operator-token.ts'
import { openTerminal } from '../terminal.ts'
import { addSubnetCalibrate, addSubnetRecord } from './subnet-calibrate.ts'
import { addSubnetCompare } from './subnet-compare.ts'

/** Exact comparison fails honest work only where a machine does: that nobody has seen it in a thousand audits is all that is claimed. */
const EXACT_FALSE_FAIL_RATE = '1/1000'

/** Share of a whole, such as "1/100". */
const share = z.string().regex(/^\d{1,9}\/[1-9]\d{0,8}$/)

const subnetFile = z.strictObject({
  name: z.string(),
  weight: z.int().default(1),
  /** The next one where it is left out. */
  effectiveEpoch: z.int().optional(),
  /** Least audited share of a proven worker's receipts, such as "1/100". */
  auditFloor: share,
  /** Private: only auditors see inputs and outputs; no dataset then, and no subsidy. */
  privacy: z.enum(['public', 'private']).default('public'),
  /** The first one, in msat per 10^15 units; requests are free where it is left out. */
  price: z.int().min(0).default(0),
  /** The operator's part of what requesters pay, in 1/10,000. */
  operatorBasisPoints: z.int().min(0).max(10_000).default(0),
  models: z.array(
    z.strictObject({
      name: z.string(),
      file: z.string(),
      /** As requests name it; a later file of the name takes the place of this one. */
      version: z.int().min(1).default(1),
      /** How often audits of honest work fail bit by bit; at most "1/20". */
      falseFailRate: share.default(EXACT_FALSE_FAIL_RATE),
      /** The report of `assay subnet calibrate`: within its bounds then, at its rate, on any device. */
      calibration: z.string().optional(),
      spdx: z.string(),
      source: z.string(),
      redistributable: z.boolean(),
    }),
  ),
  /** A folder of input bundles (PROTOCOL §2), one file each, taken in the order of their names. */
  dataset: z.strictObject({ folder: z.string(), perEpoch: z.int() }).optional(),
})

export function addSubnet(program: Command): void {
  const subnet = program
    .command('subnet')
    .description('markets: models, datasets and their share of the subsidy')
  subnet
    .command('add')
    .description('define a subnet, or change one from a coming epoch on')
    .argument(
      '<file>',
      'a TOML file: name, weight, price, operatorBasisPoints, effectiveEpoch, auditFloor, [[models]], [dataset]',
    )
    .requiredOption('--config <file>', "the coordinator's configuration, for the operator token")
    .option('--url <url>', "the coordinator's; by default where the configuration listens")
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: { config: string; url?: string; json?: boolean }) => {
      const config = loadConfig({ file: options.config, env: process.env })
      const url = options.url ?? `http://${config.listen.host}:${config.listen.port}`
      const { open } = await readStatus(url)
      const epochNow = open?.epoch ?? null
      const draft = await readDraft(file, epochNow === null ? 0 : epochNow + 1)
      const index = await publishSubnet(url, readOperatorToken(config.dataDir), draft)
      openTerminal(options.json === true).result({ name: draft.name, index }, (made) => {
        return `Subnet ${made.name} is entry ${made.index} of the log.`
      })
    })
  addThaw(subnet)
  addSubnetRecord(subnet)
  addSubnetCalibrate(subnet)
  addSubnetCompare(subnet)
}

interface ThawOptions {
  readonly as: 'recalibrated' | 'upheld'
  readonly config: string
  readonly url?: string
  readonly json?: boolean
}

function addThaw(subnet: Command): void {
  subnet
    .command('thaw')
    .description('say why unrelated workers failed on a model together, by an entry of the log')
    .argument('<model>', 'subnet/digest, as `assay status` names a frozen one')
    .addOption(
      new Option('--as <finding>', 'upheld: those fails count; recalibrated: they are pardoned')
        .choices(['upheld', 'recalibrated'])
        .makeOptionMandatory(),
    )
    .requiredOption('--config <file>', "the coordinator's configuration, for the operator token")
    .option('--url <url>', "the coordinator's; by default where the configuration listens")
    .option('--json', 'print the result as JSON')
    .action(async (model: string, options: ThawOptions) => {
      if (!/^[a-z0-9-]{1,64}\/[0-9a-f]{64}$/.test(model)) {
        throw new CliError(EXIT.usage, 'key_malformed', `${model}: expected subnet/digest`)
      }
      const config = loadConfig({ file: options.config, env: process.env })
      const url = options.url ?? `http://${config.listen.host}:${config.listen.port}`
      const { subnet: name, digest } = modelOf(model)
      const decision = { subnet: name, model: digest, status: options.as }
      const index = await thawModel(url, readOperatorToken(config.dataDir), decision)
      openTerminal(options.json === true).result({ model, status: options.as, index }, (said) => {
        return `Entry ${said.index} says that the fails on ${said.model} are ${said.status}.`
      })
    })
}

async function readDraft(file: string, nextEpoch: number) {
  const { effectiveEpoch = nextEpoch, auditFloor, models, dataset, price, ...rest } = readSubnetFile(file)
  const folder = dirname(resolve(file))
  return {
    ...rest,
    price: BigInt(price),
    effectiveEpoch,
    auditFloor: ratioOf(auditFloor),
    objective: 'throughput' as const,
    models: await Promise.all(
      models.map(async ({ file: path, name, version, falseFailRate, calibration, ...license }) => {
        const bytes = new Uint8Array(readFileSync(resolve(folder, path)))
        return {
          name,
          file: bytes,
          license,
          ...(calibration === undefined
            ? { profile: exactProfile(), falseFailRate: ratioOf(falseFailRate) }
            : readReport(readFileSync(resolve(folder, calibration), 'utf8'), hash('sha256', bytes))),
          unitsPerItem: Number(await modelMacs(bytes)),
          version,
        }
      }),
    ),
    dataset:
      dataset === undefined
        ? null
        : { items: readItems(resolve(folder, dataset.folder)), perEpoch: dataset.perEpoch },
  }
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

function readSubnetFile(file: string): z.infer<typeof subnetFile> {
  try {
    return subnetFile.parse(parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)
    throw new CliError(EXIT.usage, 'subnet_file_invalid', `${file}: ${why}`, cause)
  }
}
