import t from 'tap'
import { keyedHash } from '../../lib/core/aead'
import { LABEL } from '../../lib/core/format'
import { fixedTerms, Keyring } from '../../lib/keyring/keyring'

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

t.test('two different keys with one id are refused at boot', async t => {
  const keys = collide()
  t.throws(() => new Keyring(fixedTerms(keys)), { code: 'FST_SESSION_INVALID_KEY', message: /share the key id [0-9a-f]{8}/ })
})
