import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { fetchDebian } from '../../regtest/fetch-debian.ts'
import { findBitcoind } from '../../regtest/find-bitcoind.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'assay-find-'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function makeProgram(file: string): Promise<string> {
  const program = path.join(folder, file)
  await mkdir(path.dirname(program), { recursive: true })
  await writeFile(program, '#!/bin/sh\n')
  await chmod(program, 0o755)
  return program
}

it('takes the one given before the environment, that before PATH, and that before the cache', async () => {
  const given = await makeProgram('given')
  const named = await makeProgram('named')
  const onPath = await makeProgram('bin/bitcoind')
  const cached = await makeProgram(`cache/assay/bitcoind-debian-${process.arch}/bitcoind`)
  vi.stubEnv('ASSAY_BITCOIND', named)
  vi.stubEnv('PATH', `relative${path.delimiter}${path.dirname(onPath)}`)
  vi.stubEnv('XDG_CACHE_HOME', path.join(folder, 'cache'))
  expect(await findBitcoind(given, {})).toBe(given)
  expect(await findBitcoind(undefined, {})).toBe(named)
  vi.stubEnv('ASSAY_BITCOIND', '')
  expect(await findBitcoind(undefined, {})).toBe(onPath)
  vi.stubEnv('PATH', '')
  expect(await findBitcoind(undefined, {})).toBe(cached)
})

it('never falls back from one that was named', async () => {
  await makeProgram('bin/bitcoind')
  vi.stubEnv('PATH', path.join(folder, 'bin'))
  vi.stubEnv('ASSAY_BITCOIND', '/nonexistent/bitcoind')
  await expect(findBitcoind(undefined, {})).rejects.toMatchObject({
    code: 'bitcoind_unavailable',
    message: 'ASSAY_BITCOIND: /nonexistent/bitcoind is not an executable file',
  })
})

it('has no Debian package for an architecture that it does not know', async () => {
  await expect(fetchDebian(folder, 's390', {})).rejects.toMatchObject({ code: 'bitcoind_unavailable' })
})
