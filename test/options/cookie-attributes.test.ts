import t from 'tap'
import {
  checkLifetime, checkRules, DEFAULT_ATTRIBUTES, readAttributes, resolveSecure, validAttributes, type CookieAttributes
} from '../../lib/cookies/attributes'
import { CookieLines } from '../../lib/cookies/lines'
import { DAY_MS } from '../../lib/time'

const INVALID = { code: 'FST_SESSION_INVALID_OPTION' }
const NOW_MS = 1_767_225_600_000

function withAttributes (attributes: Partial<CookieAttributes>): CookieAttributes {
  return { ...DEFAULT_ATTRIBUTES, ...attributes }
}

t.test('a maxAge of one second is accepted, and a shorter one is not', async t => {
  t.strictSame(readAttributes({ maxAge: 1 }, 'cookie'), { maxAgeS: 1 })
  t.throws(() => readAttributes({ maxAge: 0.9 }, 'cookie'), INVALID)
})

t.test('an attribute of the wrong type is an invalid option', async t => {
  for (const name of ['path', 'domain', 'sameSite', 'priority', 'maxAge', 'expires']) {
    for (const value of [7n, {}, Symbol('lax'), ['lax']]) {
      t.throws(() => readAttributes({ [name]: value }, 'cookie'), INVALID, `${name}: ${typeof value}`)
    }
  }
  t.throws(() => readAttributes({ priority: 'urgent' }, 'cookie'), { ...INVALID, message: /"low", "medium" or "high"/ })
})

t.test('expires must be a Date or a number, not text', async t => {
  t.strictSame(readAttributes({ expires: NOW_MS }, 'cookie'), { expires: new Date(NOW_MS) })
  t.throws(() => readAttributes({ expires: new Date(NOW_MS).toISOString() }, 'cookie'), INVALID)
})

t.test('expires must be later than now, and 400 days are allowed', async t => {
  const check = (ms: number): void => { checkLifetime(withAttributes({ expires: new Date(ms) }), NOW_MS, 'cookie') }
  t.throws(() => { check(NOW_MS) }, INVALID)
  t.doesNotThrow(() => { check(NOW_MS + 1) })
  t.doesNotThrow(() => { check(NOW_MS + 400 * DAY_MS) })
  t.throws(() => { check(NOW_MS + 400 * DAY_MS + 1) }, INVALID)
})

t.test('attributes of a sealed session are used if they have a valid value, which may be null', async t => {
  const empty = { path: null, domain: null, secure: 'auto', sameSite: null, priority: null }
  t.strictSame(validAttributes(empty), empty)
  const wrong = { path: 'x', domain: '-', httpOnly: 1, secure: 'yes', sameSite: 'lax', partitioned: 0, priority: 'low' }
  t.strictSame(validAttributes(wrong), {})
})

t.test('a prefix inside a cookie name has no meaning', async t => {
  for (const name of ['my__Secure-session', 'my__Host-session', 'my__Http-session']) {
    t.equal(resolveSecure(name, DEFAULT_ATTRIBUTES).secure, 'auto')
    const attributes = withAttributes({ secure: false, httpOnly: false, domain: 'a.example' })
    t.doesNotThrow(() => { checkRules(name, attributes, 'cookie') })
  }
})

t.test('a cookie with the prefix __Host- or __Host-Http- must not have a domain', async t => {
  for (const name of ['__Host-session', '__Host-Http-session', '__host-http-session']) {
    t.doesNotThrow(() => { checkRules(name, withAttributes({ secure: true }), 'cookie') })
    t.throws(() => { checkRules(name, withAttributes({ secure: true, domain: 'a.example' }), 'cookie') }, INVALID)
  }
})

t.test('a dot before or after a domain and its case make no other cookie, and each label does', async t => {
  const scopeOf = (domain: string): string => new CookieLines(withAttributes(readAttributes({ domain }, 'cookie'))).scope
  for (const same of ['.a.example', 'A.Example', 'a.example.', '.A.example.']) t.equal(scopeOf(same), scopeOf('a.example'))
  for (const domain of ['', '.', '..', '.a.example..']) t.throws(() => readAttributes({ domain }, 'cookie'), INVALID)
  t.strictSame(validAttributes({ domain: 'a.example' }), { domain: 'a.example' })
  for (const domain of ['.a.example', 'A.example', 17]) t.strictSame(validAttributes({ domain }), {})
  t.not(scopeOf('a.example'), scopeOf('aexample'))
  t.not(scopeOf('a.example'), scopeOf('b.example'))
})
