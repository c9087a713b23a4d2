import t from 'tap'
import { DEBUG, type LogLine } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { appOfSizes, bytesFor, BYTES, filled, ONE, sizeIn } from './sized'

/** A browser with these cookies. */
function having (browser: Browser, cookies: Readonly<Record<string, string | undefined>>): Browser {
  const other = browser.copy()
  other.cookies.clear()
  for (const [name, value] of Object.entries(cookies)) if (value !== undefined) other.cookies.set(name, value)
  return other
}

function refusals (lines: readonly LogLine[]): unknown[] {
  return lines.filter(({ level, reason }) => level === DEBUG && reason !== undefined).map(({ reason }) => reason)
}

t.test('parts that are dropped, swapped, repeated or of another session do not open', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.three)
  const [first, second, third] = [...browser.cookies.values()] as [string, string, string]
  const [otherFirst, otherSecond, otherThird] = [...(await filled(app, BYTES.three)).cookies.values()] as [string, string, string]
  // One full cookie fits in the place of another.
  t.equal(second.length, first.length - 2)

  const places = [[first, otherFirst, second, third, undefined], [second, otherSecond, first.slice(2), third, undefined], [third, otherThird, second, undefined]]
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
  t.strictSame(new Set(refusals(app.lines)), new Set(['forged', 'malformed', 'unknown-version']))
})

t.test('any character of any part changed, and nothing opens', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.two)
  for (const [name, value] of browser.cookies) {
    for (const at of [0, 1, 2, 3, 7, 40, 2000, value.length - 2, value.length - 1].filter(at => at < value.length)) {
      const bent = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
      t.equal(await sizeIn(having(browser, { ...Object.fromEntries(browser.cookies), [name]: bent })), null, `${name} at ${at}`)
    }
  }
})

t.test('a token has one way to be cut: with the cut elsewhere it does not open', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.two)
  const token = [...browser.cookies.values()].join('')
  for (const at of [1, 100, ONE - 1, ONE, ONE + 1]) {
    t.equal(await sizeIn(having(browser, { session: token.slice(0, at), 'session.1': token.slice(at) })) !== null, at === ONE, `cut at ${at}`)
  }
  t.equal(await sizeIn(having(browser, { session: token })), null, 'in one cookie no browser would send it')
})

t.test('a token that is one in a cookie does not open with a part behind it, or as one', async t => {
  const app = await appOfSizes(t, { cookieName: 'sessions', maxCookies: 3 })
  const full = (await filled(app, bytesFor(app, ONE - 1))).cookies.get('sessions') as string
  t.equal('sessions'.length + full.length, 4096)
  const browser = new Browser(app)
  t.not(await sizeIn(having(browser, { sessions: full, 'sessions.1': 'AAAA', 'sessions.2': 'AAAA' })), null, 'it says itself that it is whole')
  t.equal(await sizeIn(having(browser, { 'sessions.1': full })), null)
  t.equal(await sizeIn(having(browser, { sessions: `AQI${full.slice(3)}`, 'sessions.1': 'AA' })), null)
})

t.test('what lacks its other parts is refused with a reason', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.two)
  browser.cookies.delete('session.1')
  t.equal(await sizeIn(browser), null)
  t.strictSame(refusals(app.lines), ['malformed'])
})

t.test('a full cookie that only looks like a first part is refused alone', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.two)
  const genuine = browser.cookies.get('session') as string
  for (const first of ['%'.repeat(ONE), `AQI%${genuine.slice(4)}`, `AQA${genuine.slice(3)}`, `AQQ${genuine.slice(3)}`, `AgI${genuine.slice(3)}`]) {
    app.lines.length = 0
    t.equal(await sizeIn(having(browser, { ...Object.fromEntries(browser.cookies), session: first })), null)
    t.match(refusals(app.lines), [/malformed|unknown-version/])
  }
})
