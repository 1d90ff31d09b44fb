import { readFileSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { exportPsbt, importPsbt } from '../../client/payouts.ts'
import { readStatus } from '../../client/read-status.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { openTerminal } from '../terminal.ts'
import { payoutNumber } from '../whole-number.ts'

/** Payouts that are signed elsewhere (`payout.signer = "psbt"`): out as a file and back. */
export function addPayoutPsbt(payout: Command): void {
  operatorCommand(payout, 'export', 'write what waits for a signature as a PSBT (BIP-174)')
    .argument('<number>', "the payout's, as in `assay payout status`", payoutNumber)
    .option('--out <file>', 'by default payout-<number>.psbt here')
    .addHelpText('after', example('assay payout export 0 --out payout-0.psbt --config assay/assay.toml'))
    .action(async (number: number, options: OperatorOptions & { out?: string }) => {
      const psbt = await exportPsbt(operatorOf(options), number)
      const file = options.out ?? `payout-${number}.psbt`
      writeFileSync(file, psbt, { flag: 'wx' })
      openTerminal(options.json === true).result({ payout: number, file, bytes: psbt.length }, (said) => {
        return `${said.file}: ${said.bytes} bytes. Sign it, then: assay payout import <file>`
      })
    })
  operatorCommand(payout, 'import', 'take a signed PSBT back: compared with what was exported, then sent')
    .argument('<file>', 'the signed PSBT, binary or base64')
    .addHelpText('after', example('assay payout import payout-0.psbt --config assay/assay.toml'))
    .action(async (file: string, options: OperatorOptions) => {
      const psbt = readPsbt(file)
      const operator = operatorOf(options)
      // There is one payout at a time.
      const number = (await readStatus(operator.url)).open?.payouts.at(-1)?.number
      if (number === undefined) throw new CliError(EXIT.usage, 'nothing_to_sign', 'there is no payout')
      const txid = await importPsbt(operator, number, psbt)
      openTerminal(options.json === true).result({ payout: number, txid }, (said) => {
        return `Payout ${said.payout} goes out as ${said.txid}.`
      })
    })
}

/** BIP-174: the magic `psbt` and 0xff, which is `cHNidP` in base64. */
function readPsbt(file: string): Uint8Array {
  const bytes = readFileSync(file)
  return bytes.subarray(0, 6).toString('latin1') === 'cHNidP'
    ? new Uint8Array(Buffer.from(bytes.toString('latin1').trim(), 'base64'))
    : new Uint8Array(bytes)
}
