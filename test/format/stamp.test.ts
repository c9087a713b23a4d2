import t from 'tap'
import { STAMP_BYTES } from '../../lib/core/format'
import { readStamp, writeStamp } from '../../lib/core/stamp'

const STAMP = { id: Buffer.from('00112233445566778899aabbccddeeff', 'hex'), renewedAtMs: 1_767_225_660_123, checkedAtMs: 1_767_225_600_000 }

t.test('a stamp is read as it was written', async t => {
  const target = Buffer.alloc(100)
  t.strictSame(readStamp(target, writeStamp(STAMP, target)), STAMP)
})

t.test('a stamp of any other length is malformed', async t => {
  for (const length of [0, 1, STAMP_BYTES - 1, STAMP_BYTES + 1]) {
    t.strictSame(readStamp(Buffer.alloc(100), length), { ok: false, reason: 'malformed' })
  }
})
