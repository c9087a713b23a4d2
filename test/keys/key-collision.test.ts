import t from 'tap'
import { keyedHash } from '../../lib/core/aead'
import { LABEL } from '../../lib/core/format'
import { sodium } from '../../lib/core/sodium'
import { openToken, sealToken } from '../../lib/core/token'
import { fixedTerms, Keyring } from '../../lib/keyring/keyring'
import { keyOf, rotated } from '../../lib/keyring/lifecycle'

/** Two keys with one id of 32 bits: a birthday among some hundred thousand counters. */
function collide (): [Buffer, Buffer] {
  const seen = new Map<number, number>()
  for (let counter = 0; ; counter++) {
    const key = Buffer.alloc(32)
    key.writeUInt32BE(counter)
    const id = keyedHash(key, `${LABEL}key-id`).readUInt32BE(0)
    const earlier = seen.get(id)
    if (earlier !== undefined) {
      const other = Buffer.alloc(32)
      other.writeUInt32BE(earlier)
      return [other, key]
    }
    seen.set(id, counter)
  }
}

const keys = collide()

t.test('two different keys with one id are refused at boot', async t => {
  t.throws(() => new Keyring(fixedTerms(keys)), { code: 'FST_SESSION_INVALID_KEY', message: /share the key id [0-9a-f]{8}/ })
})

t.test('a key may replace another with the same id, whose tokens then do not open', async t => {
  const keyring = new Keyring(fixedTerms([keys[0]]))
  const tokenKeys = keyring.tokenKeys('cookie', 'session')
  const token = sealToken(100, tokenKeys.sealing(0), 1)
  keyring.replace(fixedTerms([keys[0]]))
  t.match(openToken(token, tokenKeys, 1, 0), { plaintextBytes: 100 })
  keyring.replace(fixedTerms([keys[1]]))
  t.match(openToken(token, tokenKeys, 1, 0), { reason: 'forged' })
  t.match(openToken(sealToken(100, tokenKeys.sealing(0), 1), tokenKeys, 1, 0), { plaintextBytes: 100 })
})

t.test('a rotation that generates an existing id generates another key', async t => {
  const random = sodium.randombytes_buf
  t.teardown(() => { sodium.randombytes_buf = random })
  sodium.randombytes_buf = target => {
    sodium.randombytes_buf = random
    keys[1].copy(target)
  }
  const ring = rotated([keyOf(keys[0], 0)], 1000, { activateInMs: 0, keepForMs: 1000 })
  t.equal(ring.length, 2)
  t.not(ring[0]?.id, ring[1]?.id)
})
