import assert from 'node:assert/strict'
import fc from 'fast-check'
import { nobleSodium } from '../../lib/core/noble'
import { sodium, type Sodium } from '../../lib/core/sodium'
import { property, testAll } from './properties'

const native = require('sodium-native') as { crypto_secretbox_easy (box: Buffer, message: Buffer, nonce: Buffer, key: Buffer): void }

const TAG_BYTES = 16
const noble = nobleSodium()

const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Buffer> => {
  return fc.uint8Array({ minLength, maxLength }).map(array => Buffer.from(array))
}
const keyed = { key: bytes(32), nonce: bytes(24), message: bytes(0, 4096) }

type Sealed = Record<'key' | 'nonce' | 'message' | 'associated', Buffer>

function seal (by: Sodium, { key, nonce, message, associated }: Sealed): Buffer {
  const ciphertext = Buffer.alloc(message.length + TAG_BYTES)
  by.crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext, message, associated, null, nonce, key)
  return ciphertext
}

/** Null where it is refused. */
function open (by: Sodium, ciphertext: Buffer, { key, nonce, associated }: Sealed): Buffer | null {
  const message = Buffer.alloc(ciphertext.length - TAG_BYTES)
  try {
    by.crypto_aead_xchacha20poly1305_ietf_decrypt(message, null, ciphertext, associated, nonce, key)
    return message
  } catch {
    return null
  }
}

function hash (by: Sodium, length: number, input: Buffer, key: Buffer | undefined): Buffer {
  const output = Buffer.alloc(length)
  by.crypto_generichash(output, input, key)
  return output
}

async function passwordKey (by: Sodium, password: Buffer, salt: Buffer, passes: number, kib: number): Promise<Buffer> {
  const key = Buffer.alloc(32)
  await by.crypto_pwhash_async(key, password, salt, passes, kib * 1024, sodium.crypto_pwhash_ALG_ARGON2ID13)
  return key
}

testAll(
  property(
    'libsodium and noble seal to the same bytes, and each opens them',
    fc.record({ ...keyed, associated: bytes(0, 200) }), 400,
    sealed => {
      const ciphertext = seal(sodium, sealed)
      assert.deepEqual(seal(noble, sealed), ciphertext)
      assert.deepEqual([open(sodium, ciphertext, sealed), open(noble, ciphertext, sealed)], [sealed.message, sealed.message])
    }),
  property(
    'libsodium and noble refuse what has one other bit',
    fc.record({ sealed: fc.record({ ...keyed, associated: bytes(1, 200) }), bit: fc.nat() }), 400,
    ({ sealed, bit }) => {
      for (const part of ['ciphertext', 'nonce', 'key', 'associated'] as const) {
        const given = { ...sealed, ciphertext: seal(sodium, sealed) }
        const flipped = Buffer.from(given[part])
        const at = bit % (8 * flipped.length)
        flipped[at >> 3] = flipped[at >> 3] as number ^ 1 << (at & 7)
        const { ciphertext, ...rest } = { ...given, [part]: flipped }
        assert.deepEqual([open(sodium, ciphertext, rest), open(noble, ciphertext, rest)], [null, null], part)
      }
    }),
  property(
    'libsodium and noble open what libsodium puts into a box, and refuse it with one other bit',
    fc.record({ ...keyed, bit: fc.nat() }), 300,
    ({ key, nonce, message, bit }) => {
      const box = Buffer.alloc(message.length + TAG_BYTES)
      native.crypto_secretbox_easy(box, message, nonce, key)
      const at = bit % (8 * box.length)
      for (const isFlipped of [false, true]) {
        if (isFlipped) box[at >> 3] = box[at >> 3] as number ^ 1 << (at & 7)
        for (const by of [sodium, noble]) {
          const opened = Buffer.alloc(message.length)
          assert.equal(by.crypto_secretbox_open_easy(opened, box, nonce, key), !isFlipped)
          if (!isFlipped) assert.deepEqual(opened, message)
        }
      }
    }),
  property(
    'libsodium and noble hash to the same bytes, with a key and without one',
    fc.record({ input: bytes(0, 1000), key: fc.option(bytes(32), { nil: undefined }), length: fc.integer({ min: 16, max: 64 }) }), 400,
    ({ input, key, length }) => { assert.deepEqual(hash(noble, length, input, key), hash(sodium, length, input, key)) }),
  property(
    'libsodium and noble make the same key from a passphrase',
    fc.record({ password: bytes(0, 100), salt: bytes(16), passes: fc.integer({ min: 1, max: 3 }), kib: fc.integer({ min: 8, max: 64 }) }), 20,
    async ({ password, salt, passes, kib }) => {
      assert.deepEqual(await passwordKey(noble, password, salt, passes, kib), await passwordKey(sodium, password, salt, passes, kib))
    })
)
