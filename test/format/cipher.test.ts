import t from 'tap'
import { cipher, cipherBy, documented } from '../../lib/core/cipher'
import { sodium } from '../../lib/core/sodium'

const binding = require('sodium-native/binding')
const KEY = Buffer.alloc(32, 7)
const NONCE = Buffer.alloc(24, 8)
const HEAD = Buffer.alloc(6, 9)

/** The binding with other functions in it, as another release of sodium-native might have. */
function changed (functions: object): () => unknown {
  return () => Object.assign(Object.create(binding), functions)
}

t.test('the binding of sodium-native passes its checks and is used', async t => {
  t.not(cipherBy(() => binding), documented)
  t.not(cipher, documented)
})

t.test('both implementations of the cipher seal the same, open it, and refuse it with any changed bit', async t => {
  const ways = [cipherBy(() => binding), documented]
  for (let length = 0; length < 40; length++) {
    const message = Buffer.alloc(length, length)
    const [sealed, again] = ways.map(way => {
      const ciphertext = Buffer.alloc(length + 16)
      way.encrypt(ciphertext, message, HEAD, NONCE, KEY)
      return ciphertext
    }) as [Buffer, Buffer]
    t.ok(sealed.equals(again))
    for (const way of ways) {
      const opened = Buffer.alloc(length)
      t.ok(way.decrypt(opened, sealed, HEAD, NONCE, KEY) && opened.equals(message))
      for (const part of [sealed, HEAD, NONCE, KEY]) {
        for (let bit = 0; bit < 8 * part.length; bit++) {
          part[bit >> 3]! ^= 1 << (bit & 7)
          if (way.decrypt(opened, sealed, HEAD, NONCE, KEY) !== false) t.fail(`a changed bit was not seen: ${bit} of ${part.length * 8}`)
          part[bit >> 3]! ^= 1 << (bit & 7)
        }
      }
    }
  }
})

t.test('a binding that fails its checks is not used', async t => {
  const { crypto_aead_xchacha20poly1305_ietf_encrypt: encrypt, crypto_aead_xchacha20poly1305_ietf_decrypt: decrypt } = binding
  const otherNonce = (nonce: Buffer): Buffer => Buffer.from(nonce.map(byte => byte ^ 1))
  const aliens: Record<string, () => unknown> = {
    'is not there': () => { throw new Error('Cannot find module') },
    'has no such functions': () => ({}),
    'encrypts to something else': changed({ crypto_aead_xchacha20poly1305_ietf_encrypt: () => 0 }),
    'opens what it encrypts, with another cipher': changed({
      crypto_aead_xchacha20poly1305_ietf_encrypt: (c: Buffer, m: Buffer, ad: Buffer, nonce: Buffer, key: Buffer) =>
        encrypt(c, m, ad, otherNonce(nonce), key),
      crypto_aead_xchacha20poly1305_ietf_decrypt: (m: Buffer, c: Buffer, ad: Buffer, nonce: Buffer, key: Buffer) =>
        decrypt(m, c, ad, otherNonce(nonce), key)
    }),
    throws: changed({ crypto_aead_xchacha20poly1305_ietf_decrypt: () => { throw new Error('no') } }),
    'returns nothing': changed({ crypto_aead_xchacha20poly1305_ietf_decrypt: () => undefined }),
    'opens nothing': changed({ crypto_aead_xchacha20poly1305_ietf_decrypt: () => -1 }),
    'opens everything': changed({ crypto_aead_xchacha20poly1305_ietf_decrypt: (...of: unknown[]) => Math.max(0, Number(decrypt(...of))) }),
    'does not look at the associated data': changed({
      crypto_aead_xchacha20poly1305_ietf_decrypt: (m: Buffer, c: Buffer, _ad: Buffer, nonce: Buffer, key: Buffer) => decrypt(m, c, Buffer.alloc(6, 1), nonce, key)
    }),
    'decrypts to something else': changed({
      crypto_aead_xchacha20poly1305_ietf_decrypt: (m: Buffer, ...of: unknown[]) => {
        const length = decrypt(m, ...of)
        m.fill(0)
        return length
      }
    }),
    'takes its arguments as documented': () => sodium
  }
  for (const [what, load] of Object.entries(aliens)) t.equal(cipherBy(load), documented, what)
})
