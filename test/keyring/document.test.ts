import t from 'tap'
import { parseKeyring, writeKeyring } from '../../lib/keyring/document'
import { keyNumber } from '../helpers/keyrings'

const NOW = Date.UTC(2026, 0, 31, 12)
const KEYS = [{ ...keyNumber(1, NOW), expiresAtMs: NOW + 5, revokedAtMs: NOW + 6 }, keyNumber(2, NOW, 1000)]
const TEXT = writeKeyring(KEYS)

t.test('a keyring is written as readable text, and is read back unchanged', async t => {
  t.strictSame(JSON.parse(TEXT), {
    version: 1,
    keys: [{
      id: KEYS[0]?.id,
      key: Buffer.alloc(32, 1).toString('base64url'),
      createdAt: '2026-01-31T12:00:00.000Z',
      activatesAt: '2026-01-31T12:00:00.000Z',
      expiresAt: '2026-01-31T12:00:00.005Z',
      revokedAt: '2026-01-31T12:00:00.006Z'
    }, {
      id: KEYS[1]?.id,
      key: Buffer.alloc(32, 2).toString('base64url'),
      createdAt: '2026-01-31T12:00:00.000Z',
      activatesAt: '2026-01-31T12:00:01.000Z',
      expiresAt: null,
      revokedAt: null
    }]
  })
  t.match(TEXT, /\n$/)
  t.strictSame(parseKeyring(TEXT), KEYS)
})

t.test('white space and a byte order mark that editors and shells add are accepted', async t => {
  for (const text of [`\uFEFF${TEXT}`, `${TEXT}\r\n\n`, TEXT.replaceAll('\n', '\r\n'), TEXT.replaceAll('.000Z', 'Z'), TEXT.replaceAll(',\n      "expiresAt": null', '')]) {
    t.strictSame(parseKeyring(text), KEYS)
  }
})

t.test('no incomplete keyring is accepted', async t => {
  for (let length = 0; length < TEXT.trimEnd().length; length++) t.throws(() => parseKeyring(TEXT.slice(0, length)), { code: 'FST_SESSION_INVALID_KEYRING' })
})

function altered (change: (document: any) => void): string {
  const document = JSON.parse(TEXT)
  change(document)
  return JSON.stringify(document)
}

const SECRET = Buffer.alloc(32, 2).toString('base64url')

for (const [name, text] of Object.entries({
  'null in its place': 'null',
  'an array in its place': '[]',
  'text in its place': '"ring"',
  'another version': altered(ring => { ring.version = 2 }),
  'an unknown name': altered(ring => { ring.comment = SECRET }),
  'keys that are not an array': altered(ring => { ring.keys = {} }),
  'more text than the maximum': altered(ring => { ring.keys[0].createdAt = ' '.repeat(1024 ** 2) }),
  'a day that does not exist in its month': altered(ring => { ring.keys[1].expiresAt = '2026-02-31T12:00:00.000Z' }),
  'no keys': altered(ring => { ring.keys = [] }),
  'only revoked keys': altered(ring => { ring.keys.pop() }),
  'a key that is not an object': altered(ring => { ring.keys[1] = SECRET }),
  'a typing error in a name': altered(ring => { ring.keys[1].revokedat = '2026-01-31T12:00:00.000Z' }),
  'a key without its bytes': altered(ring => { delete ring.keys[1].key }),
  'a key of 31 bytes': altered(ring => { ring.keys[1].key = Buffer.alloc(31, 2).toString('base64url') }),
  'a key with padding': altered(ring => { ring.keys[1].key = `${SECRET.slice(0, 42)}=` }),
  'a key that was altered': altered(ring => { ring.keys[1].key = Buffer.alloc(32, 3).toString('base64url') }),
  'a key that is not canonical base64url': altered(ring => { ring.keys[1].key = `${SECRET.slice(0, 42)}J` }),
  'an id that was altered': altered(ring => { ring.keys[1].id = '00000000' }),
  'a key twice': altered(ring => { ring.keys.push(ring.keys[1]) }),
  'no time of activation': altered(ring => { delete ring.keys[1].activatesAt }),
  'a time that is a number': altered(ring => { ring.keys[1].createdAt = NOW }),
  'a time that is not ISO 8601': altered(ring => { ring.keys[1].revokedAt = 'yesterday' }),
  'a time without its zone': altered(ring => { ring.keys[1].expiresAt = '2026-01-31T12:00:00.000' }),
  'a month that does not exist': altered(ring => { ring.keys[1].expiresAt = '2026-13-31T12:00:00.000Z' })
})) {
  t.test(`a keyring with ${name} is refused, and the message shows no key`, async t => {
    const error = t.throws(() => parseKeyring(text), { code: 'FST_SESSION_INVALID_KEYRING' }) as unknown as Error
    t.notOk(error.message.includes(SECRET.slice(0, 10)))
  })
}

t.test('the message about an invalid keyring says what is wrong and where', async t => {
  const document = JSON.parse(TEXT) as { keys: object[] }
  const first = document.keys[0]
  const cases: [unknown, RegExp][] = [
    [{ version: 1, keys: { length: 0 } }, /"keys" must be an array/],
    [{ version: 1, keys: [first, null] }, /keys\[1\] must be an object/],
    [{ version: 1, keys: [first, 'key'] }, /keys\[1\] must be an object/],
    [{ version: 1, keys: [[]] }, /keys\[0\] must be an object/],
    [{ version: 1, keys: [{ ...first, key: 7 }] }, /keys\[0\]\.key must be 32 bytes/],
    [{ version: 1, keys: [{ ...first, createdAt: '2026-01-31T12:00:00Zx' }] }, /keys\[0\]\.createdAt must be a time/]
  ]
  for (const [value, message] of cases) {
    t.throws(() => parseKeyring(JSON.stringify(value)), { code: 'FST_SESSION_INVALID_KEYRING', message }, String(message))
  }
  t.throws(() => parseKeyring('{"version":'), { message: /not JSON.*11 characters/ })
})

t.test('a keyring of 1,048,576 characters is read, and a longer one is refused', async t => {
  t.equal(parseKeyring(TEXT.padEnd(1024 ** 2)).length, 2)
  t.throws(() => parseKeyring(TEXT.padEnd(1024 ** 2 + 1)), { message: /longer than 1048576 characters/ })
})
