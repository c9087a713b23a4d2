import t from 'tap'
import { envelopeLength, readEnvelope, writeEnvelope, type Envelope } from '../../lib/core/envelope'
import { EXTENSIONS_AT } from '../../lib/core/format'

const ENVELOPE: Envelope = {
  id: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
  createdAtMs: 1_767_225_600_000,
  renewedAtMs: 1_767_225_660_123,
  extensions: new Map(),
  customSerializer: false,
  data: '{"user":"ada"}'
}

function plaintext (envelope: Partial<Envelope> = {}, padTo = 0): Buffer {
  const target = Buffer.alloc(1000, 0xee)
  return target.subarray(0, writeEnvelope({ ...ENVELOPE, ...envelope }, padTo, target))
}

/** What is read, with the data itself in place of where it lies. */
function read (bytes: Buffer): any {
  const envelope = readEnvelope(bytes, bytes.length)
  if ('ok' in envelope) return envelope
  const { id, createdAtMs, renewedAtMs, extensions, customSerializer, dataAt, dataEnd } = envelope
  return { id, createdAtMs, renewedAtMs, extensions, customSerializer, data: Buffer.from(bytes.subarray(dataAt, dataEnd)) }
}

/** A plaintext with raw bytes where the extensions belong. */
function withExtensions (...extensions: number[]): Buffer {
  const bytes = Buffer.concat([plaintext({ data: '' }), Buffer.from(extensions), Buffer.from('{}')])
  bytes.writeUInt16BE(extensions.length, EXTENSIONS_AT - 2)
  return bytes
}

t.test('an envelope is read as it was written', async t => {
  t.strictSame(read(plaintext()), { ...ENVELOPE, data: Buffer.from('{"user":"ada"}') })
  t.strictSame(read(plaintext({ data: Buffer.from([0, 0x80, 0]), customSerializer: true })),
    { ...ENVELOPE, customSerializer: true, data: Buffer.from([0, 0x80, 0]) })
})

t.test('nothing is written behind an envelope', async t => {
  for (const padTo of [0, 64]) {
    const target = Buffer.alloc(1000, 0xee)
    const length = writeEnvelope(ENVELOPE, padTo, target)
    t.ok(target.subarray(length).every(byte => byte === 0xee))
  }
})

t.test('an unknown extension is kept and written back', async t => {
  const extensions = new Map([[7, Buffer.from('audience')], [127, Buffer.alloc(0)], [0, Buffer.from([1])]])
  const kept = read(plaintext({ extensions }))
  t.match(kept, { extensions })
  t.strictSame(plaintext(kept), plaintext({ extensions }))
})

t.test('an unknown critical extension refuses the session', async t => {
  for (const type of [130, 200, 255]) t.strictSame(read(withExtensions(type, 0, 0)), { ok: false, reason: 'unsupported' })
})

t.test('an unknown flag refuses the session', async t => {
  for (let bit = 2; bit < 8; bit++) {
    const bytes = plaintext()
    bytes[0] = 1 << bit
    t.strictSame(read(bytes), { ok: false, reason: 'unsupported' })
  }
})

t.test('extensions that are too long, incomplete or repeated are malformed', async t => {
  const malformed = { ok: false, reason: 'malformed' }
  t.strictSame(read(withExtensions(7)), malformed, 'a type without a length')
  t.strictSame(read(withExtensions(7, 0)), malformed, 'half a length')
  for (const part of [[7], [7, 0]]) {
    t.strictSame(read(withExtensions(...part).subarray(0, EXTENSIONS_AT + part.length)), malformed, 'no bytes after it')
  }
  t.strictSame(read(withExtensions(7, 0, 1)), malformed, 'a value that is not there')
  t.strictSame(read(withExtensions(7, 0, 3, 1)), malformed, 'a value that reaches into the data')
  t.strictSame(read(withExtensions(7, 0, 0, 7, 0, 0)), malformed, 'a type twice')
  const bytes = plaintext()
  bytes.writeUInt16BE(0xffff, EXTENSIONS_AT - 2)
  t.strictSame(read(bytes), malformed, 'more extensions than there are bytes')
})

t.test('a plaintext that is cut within the library\'s own fields is malformed', async t => {
  for (let length = 0; length < EXTENSIONS_AT; length++) {
    t.strictSame(read(plaintext().subarray(0, length)), { ok: false, reason: 'malformed' })
  }
})

t.test('padding fills up to the next multiple, and always adds a byte', async t => {
  const wrong: string[] = []
  for (const padTo of [1, 2, 16, 64, 100]) {
    for (let length = 0; length < 130; length++) {
      const data = 'x'.repeat(length)
      const padded = plaintext({ data }, padTo)
      const added = padded.length - EXTENSIONS_AT - length
      const isRead = read(padded)?.data.equals(Buffer.from(data)) === true
      if (padded.length % padTo !== 0 || added < 1 || added > padTo || !isRead) wrong.push(`${length} bytes, padded to ${padTo}`)
    }
  }
  t.strictSame(wrong, [])
})

t.test('the length of a plaintext is known before it is written', async t => {
  for (const data of ['x'.repeat(500), '\u20ac'.repeat(200), Buffer.alloc(500)]) {
    for (const padTo of [0, 64]) {
      for (const extensions of [new Map(), new Map([[7, Buffer.from('audience')]])]) {
        const envelope = { ...ENVELOPE, data, extensions }
        const target = Buffer.alloc(envelopeLength(envelope, padTo), 0xee)
        t.equal(writeEnvelope(envelope, padTo, target), target.length)
      }
    }
  }
})

t.test('data that ends like padding is not treated as padding', async t => {
  const data = Buffer.from([1, 0x80, 0, 0])
  t.match(read(plaintext({ data }, 16)), { data })
  t.match(read(plaintext({ data }, 0)), { data })
})

t.test('padding without its mark is malformed', async t => {
  const padded = plaintext({}, 64)
  const mark = padded.lastIndexOf(0x80)
  padded[mark] = 0
  t.strictSame(read(padded), { ok: false, reason: 'malformed' })
  padded[padded.length - 1] = 1
  t.strictSame(read(padded), { ok: false, reason: 'malformed' })
  const hollow = Buffer.alloc(64)
  hollow[0] = 1
  t.strictSame(read(hollow), { ok: false, reason: 'malformed' }, 'zeros up to the head')
})

t.test('sessions of similar size have the same length with padding', async t => {
  t.equal(plaintext({ data: '{"role":"admin"}' }, 64).length, plaintext({ data: '{"role":"user"}' }, 64).length)
})

t.test('extensions count in the length of what has no room', async t => {
  const envelope = { ...ENVELOPE, extensions: new Map([[7, Buffer.alloc(300)]]), data: 'x' }
  const length = writeEnvelope(envelope, 0, Buffer.alloc(1000))
  t.equal(length, EXTENSIONS_AT + 3 + 300 + 1)
})
