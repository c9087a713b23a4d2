import { randomBytes } from 'node:crypto'
import t from 'tap'
import { guard } from '../../lib/core/aead'
import { sodium } from '../../lib/core/sodium'
import { createSealer } from '../../lib/sealer'

const MOST_KEYS = 260_096
const NO_MEMORY = { code: 'FST_SESSION_NO_GUARDED_MEMORY', statusCode: 500 }
const failure = new Error('no memory')

let isFull = true
// All memory of this process is plain memory, for the sake of the test's time.
Object.assign(sodium, {
  sodium_malloc (bytes: number) {
    if (isFull) throw failure
    return Buffer.alloc(bytes)
  },
  sodium_mprotect_readwrite () {},
  sodium_mprotect_readonly () {}
})

t.test('if libsodium has no guarded memory left, the error says what ran out', async t => {
  t.throws(() => createSealer({ key: randomBytes(32) }), { ...NO_MEMORY, message: /guarded memory.*vm\.max_map_count/, cause: failure })
  isFull = false
  t.ok(createSealer({ key: randomBytes(32) }))
})

t.test('a process keeps a limited number of keys, so that memory mappings are left for other uses', async t => {
  const kept: Buffer[] = []
  t.throws(() => {
    for (let index = 0; index <= MOST_KEYS; index++) {
      const key = Buffer.alloc(32)
      key.writeUInt32BE(index)
      kept.push(...guard([key]))
    }
  }, { ...NO_MEMORY, message: new RegExp(`this process keeps ${MOST_KEYS} keys already`) })
  t.ok(kept.length > MOST_KEYS - 100)
  t.throws(() => createSealer({ key: randomBytes(32) }), NO_MEMORY)
})
