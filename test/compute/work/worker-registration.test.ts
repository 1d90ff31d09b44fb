import { expect, test } from 'vitest'
import { checkRegistration, signRegistration } from '../../../compute/work/worker-registration.ts'
import { fromHex, readVector } from './read-vector.ts'

const vector = readVector<{
  secretKey: string
  publicKey: string
  origin: string
  registration: { address: string; thresholdSats: string; signature: string }
}>('request')
const { address } = vector.registration
const registration = {
  worker: fromHex(vector.publicKey),
  address,
  thresholdSats: BigInt(vector.registration.thresholdSats),
  signature: fromHex(vector.registration.signature),
}

test('the vector verifies', () => {
  expect(checkRegistration(registration, vector.origin)).toBe(true)
})

test('a registration is signed by the key that it names', () => {
  const signed = signRegistration(
    address,
    vector.origin,
    fromHex(vector.secretKey),
    registration.thresholdSats,
  )
  expect(signed).toMatchObject({ worker: registration.worker, address })
  expect(checkRegistration(signed, vector.origin)).toBe(true)
})

test('it does not count in another log, for another address, threshold or another key', () => {
  expect(checkRegistration(registration, 'other.example/log')).toBe(false)
  expect(checkRegistration({ ...registration, address: `${address}0` }, vector.origin)).toBe(false)
  expect(checkRegistration({ ...registration, thresholdSats: 0n }, vector.origin)).toBe(false)
  expect(checkRegistration({ ...registration, worker: new Uint8Array(32).fill(2) }, vector.origin)).toBe(
    false,
  )
})
