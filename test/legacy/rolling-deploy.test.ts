import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import secureSession from '../../index'
import { addRoutes, appWith, KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { oldApp } from './old-app'

const { secureSessionOpener } = secureSession
const OLD_KEY = Buffer.from('c3'.repeat(32), 'hex')

/** Half of a fleet still runs `@fastify/secure-session`. */
async function fleet (t: Test, { keep = true, cookie = {} } = {}): Promise<{ old: FastifyInstance, new: FastifyInstance }> {
  const old = await oldApp(t, { key: OLD_KEY, cookie: { path: '/' } })
  const app = await appWith(t, { key: KEY, cookieName: '__Host-session', legacy: [secureSessionOpener({ key: OLD_KEY, cookieName: 'session', keep, ...cookie })] })
  addRoutes(app)
  return { old, new: app }
}

/** One browser whose requests go to whichever server. */
class Roaming extends Browser {
  async at (app: FastifyInstance, url: string): Promise<any> {
    const browser = this.copy(app)
    const answer = await browser.json(url)
    this.cookies.clear()
    for (const [name, value] of browser.cookies) this.cookies.set(name, value)
    return answer
  }
}

t.test('a user who was logged in before the deploy is logged in on all servers, in every order', async t => {
  const { old, new: app } = await fleet(t)
  const browser = new Roaming(old)
  await browser.at(old, '/set/user/ada')
  const before = browser.cookies.get('session')
  for (const server of [app, old, app, app, old, old, app]) t.strictSame(await browser.at(server, '/get'), { user: 'ada' })
  t.equal(browser.cookies.get('session'), before, 'the old cookie was neither cleared nor written')
})

t.test('a login on an old server is a login on all servers', async t => {
  const { old, new: app } = await fleet(t)
  const browser = new Roaming(old)
  t.strictSame(await browser.at(app, '/get'), {})
  await browser.at(old, '/set/user/ada')
  t.strictSame(await browser.at(app, '/get'), { user: 'ada' })
  t.strictSame(await browser.at(old, '/get'), { user: 'ada' })
})

t.test('a login on a new server is not known to old servers, so route each browser to one side', async t => {
  const { old, new: app } = await fleet(t)
  const browser = new Roaming(old)
  await browser.at(app, '/set/user/ada')
  t.strictSame(await browser.at(old, '/get'), {})
  t.strictSame(await browser.at(app, '/get'), { user: 'ada' })
})

t.test('after the migration each side writes its own cookie, and does not see changes of the other', async t => {
  const { old, new: app } = await fleet(t)
  const browser = new Roaming(old)
  await browser.at(old, '/set/user/ada')
  await browser.at(app, '/set/cart/new')
  await browser.at(old, '/set/cart/old')
  t.strictSame(await browser.at(app, '/get'), { user: 'ada', cart: 'new' })
  t.strictSame(await browser.at(old, '/get'), { user: 'ada', cart: 'old' })
})

t.test('a logout on a new server leaves no cookie that opens on any server', async t => {
  const { old, new: app } = await fleet(t)
  const browser = new Roaming(old)
  await browser.at(old, '/set/user/ada')
  await browser.at(app, '/touch')
  await browser.at(app, '/delete')
  t.equal(browser.header, '')
  for (const server of [old, app]) t.strictSame(await browser.at(server, '/get'), {})
})

t.test('logout on an old server leaves the new cookie, which old servers do not know', async t => {
  const { old, new: app } = await fleet(t)
  const browser = new Roaming(old)
  await browser.at(old, '/set/user/ada')
  await browser.at(app, '/touch')
  await browser.at(old, '/delete')
  t.strictSame(await browser.at(old, '/get'), {})
  t.strictSame(await browser.at(app, '/get'), { user: 'ada' })
})

t.test('when all servers are new, the opener without keep clears the remaining legacy cookies', async t => {
  const { old, new: app } = await fleet(t)
  const browser = new Roaming(old)
  await browser.at(old, '/set/user/ada')
  await browser.at(app, '/touch')
  const { new: after } = await fleet(t, { keep: false })
  t.strictSame(await browser.at(after, '/get'), { user: 'ada' })
  await browser.at(after, '/delete')
  t.equal(browser.header, '')
})

t.test('a legacy cookie on another path is cleared by a logout, if an opener names that path', async t => {
  const { new: mended } = await fleet(t, { keep: false, cookie: { cookie: { path: '/auth' } } })
  const lines = (await mended.inject('/delete')).headers['set-cookie'] as string[]
  t.match(lines, [/^__Host-session=; /, /^session=; .*Path=\/auth;/], 'and it is cleared though the request did not send it')
})
