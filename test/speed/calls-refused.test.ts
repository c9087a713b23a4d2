import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { MOST_CANDIDATES } from '../../lib/cookies/header'
import { OTHER_KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { counter, headerAfter, NOTHING, OPENED, quietApp, REFUSED, SEALED } from './site'

async function userOf (t: Test): Promise<{ app: FastifyInstance, good: string, count: ReturnType<typeof counter> }> {
  const app = await quietApp(t)
  return { app, good: await headerAfter(app, '/login'), count: counter(t) }
}

t.test('a text that cannot be a token costs no call', async t => {
  const { app, good, count } = await userOf(t)
  const strangers = await headerAfter(await quietApp(t, { key: OTHER_KEY }), '/login')
  const junk = {
    'an unknown key': strangers,
    'an unknown version': good.replace('=A', '=B'),
    '15 KB': `session=${'A'.repeat(15_000)}`,
    '15 KB that begin as a token': good + 'A'.repeat(15_000),
    '4 KB': `session=${'A'.repeat(4000)}`,
    'no text': 'session=',
    'another spelling': `${good}=`,
    'one character more': `${good}A`,
    'an alien character': good.replace(/.$/, '*'),
    'plain base64': good.replace(/.$/, '+'),
    'another name': good.replace('session', 'sessions')
  }
  for (const [what, cookie] of Object.entries(junk)) t.strictSame(await count(app, '/read-one', cookie), NOTHING, what)
})

t.test('a forged cookie is decrypted once, and none of it is parsed', async t => {
  const { app, good, count } = await userOf(t)
  const at = good.length - 20
  const forged = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1)
  t.strictSame(await count(app, '/read-one', forged), REFUSED)
  t.strictSame(await count(app, '/read-one', good.replace(/(?<==.{6}).{60}/, 'A'.repeat(60))), NOTHING, 'with a key id that nobody has')
  t.strictSame(await count(app, '/untouched', forged), NOTHING)
})

t.test('an expired cookie is decrypted once', async t => {
  const clock = fakeClock(t)
  const { app, good, count } = await userOf(t)
  clock.advance(40 * 86_400_000)
  t.strictSame(await count(app, '/read-one', good), REFUSED)
})

t.test('of several cookies of the name a limited number is decrypted, valid or forged', async t => {
  const { app, good, count } = await userOf(t)
  const forged = `${good.slice(0, -20)}${'A'.repeat(20)}`
  const decryptions = (times: number): string[] => Array<string>(times).fill('decrypt')
  for (const copies of [2, 3, 4]) {
    t.match(await count(app, '/read-one', Array(copies).fill(good).join('; ')), { sodium: decryptions(copies), parsed: copies })
  }
  for (const copies of [5, 50]) {
    const sodium = decryptions(MOST_CANDIDATES)
    t.strictSame((await count(app, '/read-one', Array(copies).fill(good).join('; '))).sodium, sodium)
    t.strictSame(await count(app, '/read-one', Array(copies).fill(forged).join('; ')), { ...REFUSED, sodium })
  }
  t.strictSame(await count(app, '/untouched', Array(50).fill(good).join('; ')), NOTHING)
})

for (const parts of [2, 3]) {
  t.test(`a session in ${parts} cookies is decrypted once, and sealed once`, async t => {
    const app = await quietApp(t, { maxCookies: 3 })
    const cookie = await headerAfter(app, `/fill-${parts}`)
    t.equal(cookie.split('; ').length, parts)
    const count = counter(t)
    t.strictSame(await count(app, '/untouched', cookie), NOTHING)
    t.strictSame(await count(app, '/read-one', cookie), OPENED)
    t.strictSame(await count(app, '/write-one', cookie), { ...SEALED, setCookies: parts })
    t.strictSame(await count(app, '/delete', cookie), { ...OPENED, setCookies: 3 })
    t.strictSame(await count(app, '/read-one', cookie.slice(0, cookie.lastIndexOf(';'))), NOTHING, 'without its last part')
  })
}

t.test('with maxCookies 3 a session in one cookie costs as much as with maxCookies 1', async t => {
  const app = await quietApp(t, { maxCookies: 3 })
  const cookie = await headerAfter(app, '/login')
  const count = counter(t)
  t.strictSame(await count(app, '/read-one', cookie), OPENED)
  t.strictSame(await count(app, '/write-one', cookie), SEALED)
})
