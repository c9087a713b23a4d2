import { randomBytes } from 'node:crypto'
import t from 'tap'
import { LONGEST_TOKEN, TOKEN_OVERHEAD_BYTES } from '../../lib/core/format'
import { keyIdIn, openToken, plaintext, sealToken, type TokenKeys } from '../../lib/core/token'
import { OTHER_KEY } from '../helpers/app'
import { keysFor } from '../helpers/ring'

const PLAINTEXT = Buffer.from('the plaintext of a token')
const KEYS = keysFor()
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function seal (parts = 1, content = PLAINTEXT, keys = KEYS): string {
  return sealToken(content.copy(plaintext), keys.sealing(0), parts)
}

/** The plaintext of a token, or the refusal. */
function open (text: string, keys: TokenKeys = KEYS): unknown {
  const opened = openToken(text, keys, 1, 0)
  return 'ok' in opened ? opened : Buffer.from(plaintext.subarray(0, opened.plaintextBytes))
}

function reason (text: string, parts = 1): string {
  const opened = openToken(text, KEYS, parts, 0)
  return 'ok' in opened ? opened.reason : 'opened'
}

t.test('a token opens to the plaintext that was sealed', async t => {
  t.strictSame(open(seal()), PLAINTEXT)
  t.strictSame(open(seal(1, Buffer.alloc(0))), Buffer.alloc(0))
})

t.test('two tokens of one plaintext differ', async t => {
  const tokens = new Set(Array.from({ length: 1000 }, () => seal()))
  t.equal(tokens.size, 1000)
})

t.test('a token is one base64url word', async t => {
  t.match(seal(), /^[A-Za-z0-9_-]+$/)
})

t.test('a token with any flipped bit does not open', async t => {
  const bytes = Buffer.from(seal(), 'base64url')
  const reasons = new Set<string>()
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bent = Buffer.from(bytes)
      bent.writeUInt8(bent.readUInt8(at) ^ (1 << bit), at)
      reasons.add(`${at < 1 ? 'version' : at < 2 ? 'parts' : at < 6 ? 'key id' : 'rest'}: ${reason(bent.toString('base64url'))}`)
    }
  }
  t.strictSame([...reasons].sort(), ['key id: unknown-key', 'parts: malformed', 'rest: forged', 'version: unknown-version'])
})

t.test('a token of another length does not open', async t => {
  const token = seal()
  const opened: string[] = []
  for (let length = 0; length < token.length; length++) {
    if (reason(token.slice(0, length)) === 'opened') opened.push(token.slice(0, length))
    if (reason(token.slice(length + 1)) === 'opened') opened.push(token.slice(length + 1))
  }
  for (const tail of ['A', 'AA', '=', '==', ' ', ';', '\n', '.', `.${token}`, token]) {
    if (reason(token + tail) === 'opened' || reason(tail + token) === 'opened') opened.push(tail)
  }
  t.strictSame(opened, [])
})

t.test('a token with stray bits at its end is refused, because it has exactly one spelling', async t => {
  for (const length of [0, 1, 2]) {
    const token = seal(1, Buffer.alloc(length))
    const spellings = [...ALPHABET].map(last => token.slice(0, -1) + last).filter(spelling => reason(spelling) === 'opened')
    t.strictSame(spellings, [token])
  }
})

t.test('a token with characters outside base64url is refused, at every position', async t => {
  const token = seal()
  for (const alien of ['+', '/', '=', ' ', '\t', '\0', '%', '"', 'é', '😀', '\ud800']) {
    for (const at of [0, 1, 7, token.length - 1]) {
      t.equal(reason(token.slice(0, at) + alien + token.slice(at + 1)), 'malformed', `${JSON.stringify(alien)} at ${at}`)
      t.equal(reason(token.slice(0, at) + alien + token.slice(at)), 'malformed')
    }
  }
})

t.test('a token in the other alphabet of base64 is refused', async t => {
  let token = seal()
  while (!/[-_]/.test(token)) token = seal()
  t.equal(reason(token.replaceAll('-', '+').replaceAll('_', '/')), 'malformed')
})

t.test('a token of an unknown version is refused as such, at any length', async t => {
  for (const version of [0, 2, 255]) t.equal(reason(Buffer.from([version, 1, 2, 3]).toString('base64url')), 'unknown-version')
})

t.test('a token shorter than the fixed fields is malformed', async t => {
  t.equal(reason(''), 'malformed')
  t.equal(reason(Buffer.from([1]).toString('base64url')), 'malformed')
  t.equal(reason(Buffer.from(seal(1, Buffer.alloc(0)), 'base64url').subarray(0, TOKEN_OVERHEAD_BYTES - 1).toString('base64url')), 'malformed')
})

t.test('a token longer than the maximum is refused before it is decoded', async t => {
  t.equal(reason('A'.repeat(LONGEST_TOKEN + 1)), 'malformed')
})

t.test('a token that is split over another number of cookies does not open', async t => {
  t.equal(reason(seal(2), 1), 'malformed')
  t.equal(reason(seal(2), 2), 'opened')
  const bytes = Buffer.from(seal(2), 'base64url')
  bytes[1] = 1
  t.equal(reason(bytes.toString('base64url'), 1), 'forged', 'the number is authenticated')
})

t.test('a token with an unknown key is refused as such', async t => {
  t.strictSame(open(seal(), keysFor('session', 'cookie', OTHER_KEY)), { ok: false, reason: 'unknown-key' })
})

t.test('every key opens with its associated data: the tenth as well as the first', async t => {
  const materials = Array.from({ length: 10 }, (_, index) => Buffer.alloc(32, index + 1))
  const ring = keysFor('session', 'cookie', ...materials)
  for (const material of materials) {
    t.strictSame(open(seal(1, PLAINTEXT, keysFor('session', 'cookie', material)), ring), PLAINTEXT)
  }
})

t.test('random text never opens, and never throws', async t => {
  for (let round = 0; round < 5000; round++) {
    const length = Math.floor(Math.random() * 200)
    const text = Array.from({ length }, () => ALPHABET[Math.floor(Math.random() * 64)]).join('')
    if (reason(`AQ${text}`) === 'opened' || reason(text) === 'opened') t.fail(text)
  }
})

t.test('a token of the longest plaintext opens unchanged', async t => {
  const content = randomBytes(LONGEST_TOKEN * 3 / 4 - TOKEN_OVERHEAD_BYTES)
  t.strictSame(open(seal(1, content)), content)
})

t.test('tokens of all lengths, sealed and opened in turn, do not affect each other', async t => {
  const contents = Array.from({ length: 300 }, (_, index) => randomBytes((index * 37) % 500))
  const tokens = contents.map(content => seal(1, content))
  for (const index of [...tokens.keys()].reverse()) t.strictSame(open(tokens[index] as string), contents[index])
})

t.test('the key id of a token is read without opening it', async t => {
  for (let round = 0; round < 200; round++) {
    const keys = keysFor('session', 'cookie', randomBytes(32))
    plaintext.fill(round, 0, round)
    t.equal(keyIdIn(sealToken(round, keys.sealing(0), 1 + round % 3)), keys.sealing(0).id)
  }
})

t.test('a text that cannot be a token has no key id', async t => {
  const token = Buffer.alloc(TOKEN_OVERHEAD_BYTES, 1).toString('base64url')
  t.equal(keyIdIn(token), 0x01010101)
  t.equal(keyIdIn(token.padEnd(LONGEST_TOKEN, 'A')), 0x01010101)
  for (const text of ['', token.slice(1), token.slice(0, -1), `${token}${'A'.repeat(LONGEST_TOKEN)}`, `AgEB${token.slice(4)}`, `/w${token.slice(2)}`]) t.equal(keyIdIn(text), null, text.slice(0, 20))
  for (let at = 0; at < 8; at++) {
    for (const alien of ['=', '+', '/', ' ', '\0', 'ä', '\u0141']) t.equal(keyIdIn(token.slice(0, at) + alien + token.slice(at + 1)), null)
  }
})
