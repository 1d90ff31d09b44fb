import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKeystore } from '../../../src/keystore/create-keystore.ts'
import { deriveKeys } from '../../../src/keystore/derive-keys.ts'
import { newMnemonic } from '../../../src/keystore/mnemonic.ts'
import { openKeystore } from '../../../src/keystore/open-keystore.ts'

const passphrase = 'correct horse'
const scryptN = 16
let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-keystore-'))
  path = join(folder, 'keystore.json')
})
afterEach(() => rm(folder, { recursive: true }))

const create = (options: object = {}) =>
  createKeystore(path, { passphrase, network: 'regtest', scryptN, ...options })
const open = (options: object = {}) => openKeystore(path, { passphrase, network: 'regtest', ...options })
const edit = async (change: (file: Record<string, unknown>) => object) =>
  writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))))

test('what was created opens to the keys of its mnemonic', async () => {
  const mnemonic = newMnemonic()
  await create({ mnemonic })
  expect(await open()).toEqual(deriveKeys(mnemonic, 'regtest'))
})

test('a keystore made without a mnemonic holds random keys', async () => {
  await create()
  const first = await open()
  await rm(path)
  await create()
  expect(await open()).not.toEqual(first)
})

test('the file belongs to its owner alone, nothing else is left, and the words are not in it', async () => {
  const mnemonic = newMnemonic()
  await create({ mnemonic })
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['keystore.json'])
  expect(await readFile(path, 'utf8')).not.toContain(mnemonic.split(' ').slice(0, 2).join(' '))
})

test('a mnemonic is taken however it is spaced and capitalised', async () => {
  const mnemonic = newMnemonic()
  await create({ mnemonic: `  ${mnemonic.toUpperCase().replaceAll(' ', '\n')} ` })
  expect(await open()).toEqual(deriveKeys(mnemonic, 'regtest'))
})

test('the same passphrase opens it however its letters are composed', async () => {
  await create({ passphrase: 'caf\u00e9' })
  await expect(open({ passphrase: 'cafe\u0301' })).resolves.toHaveProperty('logSeed')
})

test('an existing file is never overwritten', async () => {
  await writeFile(path, 'precious')
  await expect(create()).rejects.toMatchObject({ code: 'keystore_exists' })
  expect(await readFile(path, 'utf8')).toBe('precious')
  expect(await readdir(folder)).toEqual(['keystore.json'])
})

test('of two made at once one wins and the other is refused', async () => {
  const outcomes = await Promise.allSettled([create(), create()])
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  await expect(open()).resolves.toHaveProperty('anchor')
})

test('a folder that is not there is told', async () => {
  path = join(folder, 'absent', 'keystore.json')
  await expect(create()).rejects.toMatchObject({ code: 'keystore_unwritable' })
  await expect(open()).rejects.toMatchObject({ code: 'keystore_missing' })
})

test.each([
  ['another passphrase', { passphrase: 'correct horsf' }, 'passphrase_wrong'],
  ['an empty passphrase', { passphrase: '' }, 'passphrase_empty'],
  ['another network', { network: 'mainnet' }, 'network_mismatch'],
])('%s is refused', async (_name, options, code) => {
  await create()
  await expect(open(options)).rejects.toMatchObject({ code })
})

test.each([
  ['an empty passphrase', { passphrase: '' }, 'passphrase_empty'],
  ['23 words', { mnemonic: newMnemonic().split(' ').slice(1).join(' ') }, 'mnemonic_invalid'],
  [
    '12 words',
    {
      mnemonic:
        'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
    },
    'mnemonic_invalid',
  ],
  ['a wrong checksum', { mnemonic: 'abandon '.repeat(24) }, 'mnemonic_invalid'],
  ['an unknown word', { mnemonic: `${'abandon '.repeat(23)}assay` }, 'mnemonic_invalid'],
])('creating with %s is refused and leaves no file', async (_name, options, code) => {
  await expect(create(options)).rejects.toMatchObject({ code })
  expect(await readdir(folder)).toEqual([])
})

const scrypt = { name: 'scrypt', n: 16, r: 8, p: 1 }

test.each<[string, (file: Record<string, unknown>) => object]>([
  ['an unknown key', (file) => ({ ...file, extra: 1 })],
  ['a missing key', ({ salt: _salt, ...file }) => file],
  ['another version', (file) => ({ ...file, version: 2 })],
  ['an unknown network', (file) => ({ ...file, network: 'testnet3' })],
  ['a short salt', (file) => ({ ...file, salt: 'ab' })],
  ['a long nonce', (file) => ({ ...file, nonce: '00'.repeat(25) })],
  ['capital hex', (file) => ({ ...file, nonce: 'AA'.repeat(24) })],
  ['a ciphertext of another length', (file) => ({ ...file, ciphertext: '00'.repeat(47) })],
  ['another cipher', (file) => ({ ...file, cipher: 'aes' })],
  ['another kdf', (file) => ({ ...file, kdf: { ...scrypt, name: 'argon2id' } })],
  ['a cost that would take 2 GiB', (file) => ({ ...file, kdf: { ...scrypt, n: 2 ** 21 } })],
  ['a cost that is no power of two', (file) => ({ ...file, kdf: { ...scrypt, n: 1000 } })],
  ['a cost of one', (file) => ({ ...file, kdf: { ...scrypt, n: 1 } })],
  ['another block size', (file) => ({ ...file, kdf: { ...scrypt, r: 16 } })],
  ['more lanes', (file) => ({ ...file, kdf: { ...scrypt, p: 2 } })],
  ['a file that is too long', (file) => ({ ...file, extra: 'x'.repeat(4_096) })],
])('a file with %s is malformed', async (_name, change) => {
  await create()
  await edit(change)
  await expect(open()).rejects.toMatchObject({ code: 'keystore_malformed' })
})

test.each(['', 'null', '[]', '{', '\u0000'])('%j is no keystore', async (text) => {
  await writeFile(path, text)
  await expect(open()).rejects.toMatchObject({ code: 'keystore_malformed' })
})

const flipHex = (text: unknown) => String(text).replace(/^./, (digit) => (digit === '0' ? '1' : '0'))

test.each<[string, (file: Record<string, unknown>) => object]>([
  ['cost', (file) => ({ ...file, kdf: { ...scrypt, n: 32 } })],
  ['network', (file) => ({ ...file, network: 'signet' })],
  ['salt', (file) => ({ ...file, salt: flipHex(file.salt) })],
  ['nonce', (file) => ({ ...file, nonce: flipHex(file.nonce) })],
  ['ciphertext', (file) => ({ ...file, ciphertext: flipHex(file.ciphertext) })],
])('a changed %s is found', async (_name, change) => {
  await create()
  await edit(change)
  const { network } = JSON.parse(await readFile(path, 'utf8'))
  await expect(open({ network })).rejects.toMatchObject({ code: 'passphrase_wrong' })
})

test('the standard cost opens too', async () => {
  await create({ scryptN: undefined })
  expect(JSON.parse(await readFile(path, 'utf8')).kdf.n).toBe(2 ** 17)
  await expect(open()).resolves.toHaveProperty('treasury')
})
