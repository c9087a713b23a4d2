import t from 'tap'
import { decodedLength } from '../../lib/core/bytes'
import { EXTENSIONS_AT, TOKEN_OVERHEAD_BYTES } from '../../lib/core/format'
import { writeEnvelope } from '../../lib/core/envelope'
import { plaintext, sealToken } from '../../lib/core/token'
import { DEBUG, type LogLine, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { keysFor } from '../helpers/ring'
import { appOfSizes, bytesFor, BYTES, filled, ONE, sizeIn } from './sized'

/** A browser with these cookies. */
function having (browser: Browser, cookies: Readonly<Record<string, string | undefined>>): Browser {
  const other = browser.copy()
  other.cookies.clear()
  for (const [name, value] of Object.entries(cookies)) if (value !== undefined) other.cookies.set(name, value)
  return other
}

/** A genuine token of so many characters, which says that it is cut into so many parts. */
function sealedAs (parts: number, characters: number): string {
  const nowMs = Date.now()
  const data = `{"characters":${characters}}`.padEnd(decodedLength(characters) - TOKEN_OVERHEAD_BYTES - EXTENSIONS_AT)
  const times = { createdAtMs: nowMs, renewedAtMs: nowMs }
  const envelope = { id: Buffer.alloc(16, 0x0f), ...times, extensions: new Map(), customSerializer: false, data }
  return sealToken(writeEnvelope(envelope, 0, plaintext), keysFor().sealing(nowMs), parts)
}

/** What `sealedAs` sealed, as an app finds it in these cookies. */
async function charactersIn (app: TestApp, cookies: Readonly<Record<string, string>>): Promise<number | null> {
  const cookie = Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join('; ')
  return (await app.inject({ url: '/get', headers: { cookie } })).json().characters ?? null
}

function refusals (lines: readonly LogLine[]): unknown[] {
  return lines.filter(({ level, reason }) => level === DEBUG && reason !== undefined).map(({ reason }) => reason)
}

t.test('a split session with parts that are missing, swapped, repeated or foreign does not open', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.three)
  const [first, second, third] = [...browser.cookies.values()] as [string, string, string]
  const [otherFirst, otherSecond, otherThird] = [...(await filled(app, BYTES.three)).cookies.values()] as [string, string, string]
  // One part fits in the place of another.
  t.equal(second.length, first.length)

  const places = [
    [first, otherFirst, second, third, undefined],
    [second, otherSecond, first, third, undefined],
    [third, otherThird, second, undefined]
  ]
  const opened: string[] = []
  let tried = 0
  for (const a of places[0] as string[]) {
    for (const b of places[1] as string[]) {
      for (const c of places[2] as string[]) {
        const cookies = { session: a, 'session.1': b, 'session.2': c }
        tried++
        if (await sizeIn(having(browser, cookies)) !== null) opened.push(JSON.stringify([a === first, b === second, c === third]), JSON.stringify([a === otherFirst, b === otherSecond, c === otherThird]))
      }
    }
  }
  t.equal(tried, 100)
  t.strictSame(opened, ['[true,true,true]', '[false,false,false]', '[false,false,false]', '[true,true,true]'], 'each of the two as it was, and nothing else')
  for (const reason of refusals(app.lines)) t.match(reason, /^(forged|malformed|unknown-version)$/)
})

t.test('a split session with any changed character in any part does not open', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.two)
  for (const [name, value] of browser.cookies) {
    for (const at of [0, 1, 2, 3, 7, 40, 2000, value.length - 2, value.length - 1].filter(at => at < value.length)) {
      const bent = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
      t.equal(await sizeIn(having(browser, { ...Object.fromEntries(browser.cookies), [name]: bent })), null, `${name} at ${at}`)
    }
  }
})

t.test('a token that is cut at another position does not open', async t => {
  const app = await appOfSizes(t)
  for (const bytes of [BYTES.two, BYTES.two + 1]) {
    const browser = await filled(app, bytes)
    const [first, second] = [...browser.cookies.values()] as [string, string]
    const token = first + second
    const { length } = first
    for (const at of [1, 100, length - 2, length - 1, length, length + 1, length + 2, ONE, token.length - 1]) {
      const size = await sizeIn(having(browser, { session: token.slice(0, at), 'session.1': token.slice(at) }))
      t.equal(size !== null, at === length, `cut at ${at}`)
    }
    t.equal(await sizeIn(having(browser, { session: token })), null, 'in one cookie')
    t.equal(await sizeIn(having(browser, { session: token, 'session.1': '' })), null)
  }
})

t.test('a token of two parts does not open in one cookie, even if one could hold it', async t => {
  const app = await appOfSizes(t)
  for (const characters of [2047, 2048, 3000, 4083, 4084, 4085].filter(length => length % 4 !== 1)) {
    const token = sealedAs(2, characters)
    t.equal(await charactersIn(app, { session: token }), null, `${characters} characters`)
    const half = Math.ceil(characters / 2)
    const parts = { session: token.slice(0, half), 'session.1': token.slice(half) }
    t.equal(await charactersIn(app, parts), characters, 'in two it does')
  }
})

t.test('a token with a wrong number of parts does not open, even if it is genuine', async t => {
  const app = await appOfSizes(t)
  const cut = (characters: number, parts: number): Record<string, string> => {
    const token = sealedAs(parts, characters)
    const length = Math.ceil(characters / parts)
    const names = ['session', 'session.1', 'session.2'].slice(0, parts)
    return Object.fromEntries(names.map((name, part) => [name, token.slice(part * length, (part + 1) * length)]))
  }
  const shortest = [[2, 2047, 2046], [3, 3070, 3068]] as const
  for (const [parts, characters, fewer] of shortest) {
    t.equal(await charactersIn(app, cut(characters, parts)), characters, 'all but the last have 1024 characters')
    t.equal(await charactersIn(app, cut(fewer, parts)), null)
  }
  const longest = [[2, 8166], [3, 12248]] as const
  for (const [parts, characters] of longest) {
    t.equal(await charactersIn(app, cut(characters, parts)), characters, 'a line without attributes')
    t.equal(await charactersIn(app, cut(characters + 2, parts)), null)
  }
})

t.test('a token of one part does not open with a further part, nor as a first part', async t => {
  const app = await appOfSizes(t)
  const full = (await filled(app, bytesFor(app, ONE))).cookies.get('session') as string
  const browser = new Browser(app)
  for (const part of ['AAAA', full]) {
    const cookies = { session: full, 'session.1': part, 'session.2': part }
    t.not(await sizeIn(having(browser, cookies)), null, 'it says itself that it is whole')
  }
  t.equal(await sizeIn(having(browser, { 'session.1': full })), null)
  t.equal(await sizeIn(having(browser, { session: `AQI${full.slice(3)}`, 'session.1': full.slice(1) })), null)
})

t.test('a first part without its other parts is refused with a reason', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.two)
  browser.cookies.delete('session.1')
  t.equal(await sizeIn(browser), null)
  t.strictSame(refusals(app.lines), ['malformed'])
})

t.test('a cookie that only resembles a first part is refused alone', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.two)
  const genuine = browser.cookies.get('session') as string
  const heads = [`AQI%${genuine.slice(4)}`, ...['AQA', 'AQQ', 'AgI'].map(head => head + genuine.slice(3))]
  for (const first of ['%'.repeat(genuine.length), ...heads]) {
    app.lines.length = 0
    t.equal(await sizeIn(having(browser, { ...Object.fromEntries(browser.cookies), session: first })), null)
    t.match(refusals(app.lines), [/malformed|unknown-version/])
  }
})
