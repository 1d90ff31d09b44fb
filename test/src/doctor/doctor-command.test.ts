import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { EXIT } from '../../../src/cli/exit-code.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import { createKeystore } from '../../../src/keystore/create-keystore.ts'
import { runCli } from '../cli/run-cli.ts'
import { openSite } from '../coordinator/site.ts'

const SCRYPT_N = 2 ** 14

test('beside a running coordinator all is well; without its keystore it is not, and says what to do', async () => {
  await using node = await startBitcoind()
  await using site = await openSite(node, { funded: false })
  const { config } = site
  const { port } = new URL(site.url)
  const file = join(config.dataDir, 'assay.toml')
  writeFileSync(
    file,
    renderConfig({ ...config, listen: { host: '127.0.0.1', port: Number(port), proxies: 0 } }),
  )

  const without = await runCli('doctor', '--config', file)
  expect(without.exitCode).toBe(EXIT.checkFailed)
  expect(without.stdout).toMatch(/✗ keystore .*\n\s+→ Run `assay init`/)
  expect(without.stdout).toMatch(/1 of \d+ fail/)

  const keystore = join(config.dataDir, 'keystore.json')
  await createKeystore(keystore, { passphrase: 'of the test', network: 'regtest', scryptN: SCRYPT_N })
  const { stdout, exitCode } = await runCli('doctor', '--config', file, '--json')
  expect(exitCode).not.toBe(EXIT.checkFailed)
  const { ok, findings } = JSON.parse(stdout)
  expect(ok).toBe(true)
  expect(findings.find(({ check }: { check: string }) => check === 'port').detail).toContain(
    'this coordinator',
  )
  expect(findings.find(({ check }: { check: string }) => check === 'zmq').state).toBe('warn')
})
