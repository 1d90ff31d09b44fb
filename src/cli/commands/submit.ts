import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { z } from 'zod'
import { askCoordinator } from '../../client/ask-coordinator.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { openTerminal } from '../terminal.ts'

/** The longest that a request may give its answer, five minutes, and the way there and back. */
const TIMEOUT_MS = 310_000

/** A terminal's line or two of each output; --json has all of it. */
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
  const response = await askCoordinator(url, `/v2/models/${encodeURIComponent(model)}/infer`, {
    method: 'POST',
    body: readFileSync(file),
    timeoutMs: TIMEOUT_MS,
    ...(apiKeyFile === undefined ? {} : { token: readFileSync(apiKeyFile, 'utf8').trim() }),
  })
  if (response.headers.get('content-type') === 'application/octet-stream') {
    throw new CliError(
      EXIT.usage,
      'binary_output',
      `${file} asks for binary outputs: leave binary_data out of it`,
    )
  }
  const data = answer.parse(await response.json())
  openTerminal(json === true).result(data, ({ outputs, parameters: { assay_receipt_id: receipt } }) =>
    [
      ...outputs.map(
        ({ name, datatype, shape, data }) =>
          `${name} ${datatype} [${shape.join(', ')}]: ${data.slice(0, SHOWN_ELEMENTS).join(', ')}${data.length > SHOWN_ELEMENTS ? ', …' : ''}`,
      ),
      `Receipt ${receipt}. Next, once an anchor covers it: assay proof get ${receipt}`,
    ].join('\n'),
  )
}
