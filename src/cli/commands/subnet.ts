import { type Command, Option } from 'commander'
import { publishSubnet } from '../../client/publish-subnet.ts'
import { readStatus } from '../../client/read-status.ts'
import { thawModel } from '../../client/thaw-model.ts'
import { loadConfig } from '../../config/load-config.ts'
import { modelOf } from '../../rules/standings.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { readOperatorToken } from '../operator-token.ts'
import { readSubnetFile } from '../subnet-file.ts'
import { openTerminal } from '../terminal.ts'
import { addSubnetCalibrate, addSubnetRecord } from './subnet-calibrate.ts'
import { addSubnetCompare } from './subnet-compare.ts'

export function addSubnet(program: Command): void {
  const subnet = program
    .command('subnet')
    .description('markets: models, datasets and their share of the subsidy')
  subnet
    .command('add')
    .description('define a subnet, or change one from a coming epoch on')
    .argument(
      '<file>',
      'a TOML file: name, weight, price, operatorBasisPoints, effectiveEpoch, auditFloor, [[models]], [[repositories]], [dataset]',
    )
    .requiredOption('--config <file>', "the coordinator's configuration, for the operator token")
    .option('--url <url>', "the coordinator's; by default where the configuration listens")
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: { config: string; url?: string; json?: boolean }) => {
      const config = loadConfig({ file: options.config, env: process.env })
      const url = options.url ?? `http://${config.listen.host}:${config.listen.port}`
      const { open } = await readStatus(url)
      const epochNow = open?.epoch ?? null
      const { draft, ignored } = await readSubnetFile(file, epochNow === null ? 0 : epochNow + 1)
      const index = await publishSubnet(url, readOperatorToken(config.dataDir), draft)
      const models = draft.models.map(({ name, version }) => ({ name, version }))
      openTerminal(options.json === true).result({ name: draft.name, index, models, ignored }, (made) =>
        [
          `Subnet ${made.name} is entry ${made.index} of the log.`,
          ...made.models.map(({ name, version }) => `  ${name}, version ${version}`),
          ...Object.entries(made.ignored).map(([model, fields]) => {
            return `Without effect in ${model}/config.pbtxt: ${fields.join(', ')}.`
          }),
        ].join('\n'),
      )
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
