import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import type { Command } from 'commander'
import { z } from 'zod'
import { askCoordinator } from '../../client/ask-coordinator.ts'
import { OipError } from '../../oip/oip-error.ts'
import { parseRequestHead } from '../../oip/request-head.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { openTerminal } from '../terminal.ts'

/** The longest that a request may ask for, and that fetch waits for an answer to begin. */
const TIMEOUT_MS = 300_000

/** Of each output; --json has all of it. */
const SHOWN_ELEMENTS = 10

const answer = z.looseObject({
  parameters: z.looseObject({ assay_receipt_id: z.string() }),
  outputs: z.array(
    z.looseObject({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.int()),
      data: z.array(z.union([z.number(), z.string(), z.boolean()])),
    }),
  ),
})

interface Options {
  readonly url: string
  readonly apiKeyFile?: string
  readonly json?: boolean
}

export function addSubmit(program: Command): void {
  program
    .command('submit')
    .description('ask a model once, by a request of the Open Inference Protocol v2')
    .argument('<model>', 'its name')
    .argument('<file>', 'the request as JSON, as any client of the protocol would send it')
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--api-key-file <file>', "holds an account's API key, where the model has a price")
    .option('--json', "print the coordinator's answer as JSON")
    .addHelpText('after', example('assay submit digits request.json --url https://assay.example'))
    .action(submit)
}

async function submit(model: string, file: string, { url, apiKeyFile, json }: Options): Promise<void> {
  const body = readFileSync(file)
  assertJsonOnly(file, body)
  const response = await askCoordinator(url, `/v2/models/${encodeURIComponent(model)}/infer`, {
    method: 'POST',
    body,
    timeoutMs: TIMEOUT_MS,
    ...(apiKeyFile === undefined ? {} : { token: readFileSync(apiKeyFile, 'utf8').trim() }),
  })
  const data = answer.parse(await response.json())
  openTerminal(json === true).result(data, ({ outputs, parameters: { assay_receipt_id: receipt } }) =>
    [
      ...outputs.map(outputText),
      `Receipt ${receipt}. Next, once an anchor covers it: assay proof get ${receipt} --url ${url}`,
    ].join('\n'),
  )
}

/** Before it costs anything. Throws CliError. */
function assertJsonOnly(file: string, body: Uint8Array): void {
  try {
    const { inputs, outputs = [], parameters } = parseRequestHead(body)
    const isBinary =
      parameters?.binary_data_output === true ||
      outputs.some((output) => output.parameters?.binary_data === true) ||
      inputs.some((input) => input.parameters?.binary_data_size !== undefined)
    if (!isBinary) return
  } catch (error) {
    if (!(error instanceof OipError)) throw error
    throw new CliError(EXIT.usage, error.code, `${file}: ${error.message}`, error)
  }
  throw new CliError(
    EXIT.usage,
    'binary_data',
    `${file} asks for binary tensors: assay/client sends and reads them`,
  )
}

/** What a worker wrote must not steer the terminal: text is shown with its control characters escaped. */
function outputText({ name, datatype, shape, data }: z.infer<typeof answer>['outputs'][number]): string {
  const shown = data.slice(0, SHOWN_ELEMENTS).map((element) => inspect(element))
  const more = data.length > SHOWN_ELEMENTS ? ', …' : ''
  return `${inspect(name)} ${datatype} [${shape.join(', ')}]: ${shown.join(', ')}${more}`
}
