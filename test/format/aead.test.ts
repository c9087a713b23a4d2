import t from 'tap'
import { decrypt, encrypt } from '../../lib/core/aead'

const KEY = Buffer.alloc(32, 7)
const NONCE = Buffer.alloc(24, 8)
const HEAD = Buffer.alloc(6, 9)

t.test('a ciphertext opens to its message, and to nothing once any bit of it, its head, nonce or key is changed', async t => {
  for (let length = 0; length < 40; length++) {
    const message = Buffer.alloc(length, length)
    const ciphertext = Buffer.alloc(length + 16)
    encrypt(ciphertext, message, HEAD, NONCE, KEY)
    const opened = Buffer.alloc(length)
    t.ok(decrypt(opened, ciphertext, HEAD, NONCE, KEY) && opened.equals(message))
    let accepted = 0
    for (const part of [ciphertext, HEAD, NONCE, KEY]) {
      for (let bit = 0; bit < 8 * part.length; bit++) {
        part[bit >> 3]! ^= 1 << (bit & 7)
        if (decrypt(opened, ciphertext, HEAD, NONCE, KEY)) accepted++
        part[bit >> 3]! ^= 1 << (bit & 7)
      }
    }
    t.equal(accepted, 0)
  }
})
