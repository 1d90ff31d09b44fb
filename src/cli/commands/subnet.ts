import { type Command, Option } from 'commander'
import { publishSubnet } from '../../client/publish-subnet.ts'
import { readStatus } from '../../client/read-status.ts'
import { thawModel } from '../../client/thaw-model.ts'
import { modelOf } from '../../rules/standings.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { readSubnetFile } from '../subnet-file.ts'
import { openTerminal } from '../terminal.ts'
import { addSubnetCalibrate, addSubnetRecord } from './subnet-calibrate.ts'
import { addSubnetCompare } from './subnet-compare.ts'

export function addSubnet(program: Command): void {
  const subnet = program
    .command('subnet')
    .description('markets: models, datasets and their share of the subsidy')
  operatorCommand(subnet, 'add', 'define a subnet, or change one from a coming epoch on')
    .argument(
      '<file>',
      'a TOML file: name, weight, price, operatorBasisPoints, effectiveEpoch, auditFloor, [[models]], [[repositories]], [dataset]',
    )
    .addHelpText('after', example('assay subnet add digits.toml --config assay/assay.toml'))
    .action(async (file: string, options: OperatorOptions) => {
      const { url, token } = operatorOf(options)
      const { open } = await readStatus(url)
      const epochNow = open?.epoch ?? null
      const { draft, ignored } = await readSubnetFile(file, epochNow === null ? 0 : epochNow + 1)
      const index = await publishSubnet(url, token, draft)
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

interface ThawOptions extends OperatorOptions {
  readonly as: 'recalibrated' | 'upheld'
}

function addThaw(subnet: Command): void {
  operatorCommand(
    subnet,
    'thaw',
    'say why unrelated workers failed on a model together, by an entry of the log',
  )
    .argument('<model>', 'subnet/digest, as `assay status` names a frozen one')
    .addOption(
      new Option('--as <finding>', 'upheld: those fails count; recalibrated: they are pardoned')
        .choices(['upheld', 'recalibrated'])
        .makeOptionMandatory(),
    )
    .addHelpText(
      'after',
      example('assay subnet thaw digits/4be0… --as recalibrated --config assay/assay.toml'),
    )
    .action(async (model: string, options: ThawOptions) => {
      if (!/^[a-z0-9-]{1,64}\/[0-9a-f]{64}$/.test(model)) {
        throw new CliError(EXIT.usage, 'key_malformed', `${model}: expected subnet/digest`)
      }
      const { url, token } = operatorOf(options)
      const { subnet: name, digest } = modelOf(model)
      const decision = { subnet: name, model: digest, status: options.as }
      const index = await thawModel(url, token, decision)
      openTerminal(options.json === true).result({ model, status: options.as, index }, (said) => {
        return `Entry ${said.index} says that the fails on ${said.model} are ${said.status}.`
      })
    })
}
