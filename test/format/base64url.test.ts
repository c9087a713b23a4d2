import { randomBytes } from 'node:crypto'
import t from 'tap'
import { decodeBase64url, decodedLength, encodedLength, leadingNumber } from '../../lib/core/bytes'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** All that is no character of it, up to where one byte would do, and its characters with something in the high byte. */
const ALIENS = [
  ...Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code)).filter(character => !ALPHABET.includes(character)),
  ...[...ALPHABET].flatMap(character => [0x100, 0x2000, 0xd800, 0xff00].map(high => String.fromCharCode(high + character.charCodeAt(0))))
]

const target = Buffer.alloc(256)

/** The bytes of a text in base64url; null where it is refused. */
function decoded (text: string, into = target): Buffer | null {
  const length = decodeBase64url(text, into)
  return length === null ? null : Buffer.from(into.subarray(0, length))
}

t.test('bytes of every length are decoded unchanged', async t => {
  const wrong: string[] = []
  for (let length = 0; length <= target.length; length++) {
    for (const bytes of [randomBytes(length), Buffer.alloc(length), Buffer.alloc(length, 0xff)]) {
      const text = bytes.toString('base64url')
      const isRight = decoded(text)?.equals(bytes) === true && encodedLength(length) === text.length && decodedLength(text.length) === length
      if (!isRight) wrong.push(text)
    }
  }
  t.strictSame(wrong, [])
})

t.test('an empty text is no bytes', async t => {
  t.equal(decodeBase64url('', target), 0)
  t.equal(decodeBase64url('', Buffer.alloc(0)), 0)
})

t.test('a character of another alphabet is refused, at every position and in every length', async t => {
  const passed: string[] = []
  for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 33]) {
    const text = 'A'.repeat(length)
    for (const alien of ALIENS) {
      for (let at = 0; at <= length; at++) {
        // In the place of a character, and beside one: a decoder that passes over it finds a good text then.
        for (const bent of [text.slice(0, at) + alien + text.slice(at + 1), text.slice(0, at) + alien + text.slice(at)]) {
          if (decodeBase64url(bent, target) !== null) passed.push(bent)
        }
      }
    }
  }
  t.strictSame(passed, [])
  t.equal(ALIENS.length, 0x180 - 64 + 4 * 64)
})

t.test('several characters of another alphabet are refused, even if they fill a group', async t => {
  const passed: string[] = []
  for (const alien of ['=', '+', '/', ' ', '\n', '\0', '.', '\u00c1', '\u0141']) {
    for (let count = 1; count <= 9; count++) {
      for (const text of ['', 'AAAA', 'AAAAAA', 'AAAAAAA']) {
        for (const bent of [text + alien.repeat(count), alien.repeat(count) + text, text.slice(0, 2) + alien.repeat(count) + text.slice(2)]) {
          if (decodeBase64url(bent, target) !== null) passed.push(bent)
        }
      }
    }
  }
  t.strictSame(passed, [])
})

t.test('padding is refused, also if it would be correct', async t => {
  for (const text of ['AA==', 'AAA=', 'AAAA====', 'AA=', '=', '====', 'AAAAAA==AAAA']) t.equal(decodeBase64url(text, target), null, text)
})

t.test('the two other characters of plain base64 are refused, also together', async t => {
  for (const text of ['++++', '////', '+/-_', '-_+/', '-/-/', '__+_']) t.equal(decodeBase64url(text, target), null, text)
  t.strictSame(decoded('-_-_'), Buffer.from('-_-_', 'base64url'))
})

t.test('of all texts of two and of three characters, exactly the canonical ones are accepted', async t => {
  const taken = { two: 0, three: 0 }
  const wrong: string[] = []
  for (const first of ALPHABET) {
    for (const last of ALPHABET) {
      for (const text of [first + last, `A${first}${last}`]) {
        const bytes = decoded(text)
        if (bytes !== null) taken[text.length === 2 ? 'two' : 'three']++
        if (bytes !== null && bytes.toString('base64url') !== text) wrong.push(text)
      }
    }
  }
  t.strictSame(wrong, [])
  // One byte, 256 spellings; two, of which the first six bits are given.
  t.strictSame(taken, { two: 256, three: 1024 })
})

t.test('a single character after complete groups encodes nothing, and is refused', async t => {
  for (const length of [1, 5, 9, 33]) {
    t.strictSame([...ALPHABET].filter(last => decodeBase64url('A'.repeat(length - 1) + last, target) !== null), [])
  }
})

t.test('text that is too long for the buffer is refused, and text that fits exactly is accepted', async t => {
  for (let length = 1; length <= 12; length++) {
    const text = Buffer.alloc(length, 7).toString('base64url')
    t.equal(decodeBase64url(text, Buffer.alloc(length)), length)
    for (let room = 0; room < length; room++) t.equal(decodeBase64url(text, Buffer.alloc(room)), null)
  }
})

t.test('the first characters are read as the number of their bits', async t => {
  for (let characters = 1; characters <= 8; characters++) {
    const text = randomBytes(6).toString('base64url')
    const bits = Array.from(text.slice(0, characters), character => ALPHABET.indexOf(character).toString(2).padStart(6, '0')).join('')
    t.equal(leadingNumber(text, characters), parseInt(bits, 2))
    for (const alien of ALIENS) {
      for (let at = 0; at < characters; at++) {
        if (leadingNumber(text.slice(0, at) + alien + text.slice(at + 1), characters) !== null) t.fail(`${JSON.stringify(alien)} at ${at}`)
      }
    }
  }
  t.equal(leadingNumber('AAA', 4), null, 'too few')
})
