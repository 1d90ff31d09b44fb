import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { installOnce } from '../../regtest/install-once.ts'

let cacheDir: string

beforeEach(async () => {
  cacheDir = await mkdtemp(path.join(os.tmpdir(), 'assay-cache-'))
})

afterEach(async () => {
  await rm(cacheDir, { recursive: true })
})

async function writeProgram(directory: string): Promise<void> {
  await writeFile(path.join(directory, 'program'), '#!/bin/sh\n')
  await chmod(path.join(directory, 'program'), 0o755)
}

it('installs once however many ask at the same time', async () => {
  let installs = 0
  const install = async (directory: string) => {
    installs += 1
    await writeProgram(directory)
  }
  const paths = await Promise.all(
    Array.from({ length: 5 }, () => installOnce(cacheDir, 'thing', 'program', {}, install)),
  )
  expect(new Set(paths)).toEqual(new Set([path.join(cacheDir, 'thing/program')]))
  expect(installs).toBe(1)
})

it('installs once over several processes', async () => {
  const module = path.resolve('regtest/install-once.ts')
  const script = `
    const { appendFile, chmod, writeFile } = await import('node:fs/promises')
    const { installOnce } = await import(${JSON.stringify(module)})
    await installOnce(${JSON.stringify(cacheDir)}, 'thing', 'program', {}, async (directory) => {
      await appendFile(${JSON.stringify(path.join(cacheDir, 'installs'))}, 'x')
      await writeFile(directory + '/program', '')
      await chmod(directory + '/program', 0o755)
    })`
  const children = Array.from({ length: 3 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]))
  expect(codes).toEqual([0, 0, 0])
  expect(await readFile(path.join(cacheDir, 'installs'), 'utf8')).toBe('x')
})

it('leaves nothing behind when an install fails, and the next one succeeds', async () => {
  const broken = installOnce(cacheDir, 'thing', 'program', {}, async (directory) => {
    await writeProgram(directory)
    throw new Error('no network')
  })
  await expect(broken).rejects.toThrow('no network')
  expect((await readdir(cacheDir)).filter((name) => name !== 'thing.lock')).toEqual([])
  await installOnce(cacheDir, 'thing', 'program', {}, writeProgram)
  expect(await readdir(path.join(cacheDir, 'thing'))).toEqual(['program'])
})

it('replaces an installation that lost its program', async () => {
  await mkdir(path.join(cacheDir, 'thing'))
  await writeFile(path.join(cacheDir, 'thing/rest'), '')
  await installOnce(cacheDir, 'thing', 'program', {}, writeProgram)
  expect(await readdir(path.join(cacheDir, 'thing'))).toEqual(['program'])
})

it('waits for the one that installs, says so, and can be called off', async () => {
  const abort = new AbortController()
  const { promise: finish, resolve } = Promise.withResolvers<void>()
  const { promise: started, resolve: begin } = Promise.withResolvers<void>()
  const first = installOnce(cacheDir, 'thing', 'program', {}, async (directory) => {
    begin()
    await finish
    await writeProgram(directory)
  })
  await started
  const second = installOnce(
    cacheDir,
    'thing',
    'program',
    { signal: abort.signal, onProgress: ({ step }) => step === 'lock' && abort.abort() },
    writeProgram,
  )
  await expect(second).rejects.toThrow('aborted')
  resolve()
  expect(await first).toBe(path.join(cacheDir, 'thing/program'))
})
