import t from 'tap'
import { openToken, sealToken } from '../../lib/core/token'
import { appWith, KEY, OTHER_KEY } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { keysFor } from '../helpers/ring'

type Keys = Parameters<typeof keysFor>

function seal (...key: Keys): string {
  return sealToken(28, keysFor(...key).sealing(0), 1)
}

t.test('a token opens under the cookie name it was sealed for, and no other', async t => {
  t.match(openToken(seal('guest'), keysFor('guest'), 1, 0), { plaintextBytes: 28 })
  t.match(openToken(seal('guest'), keysFor('admin'), 1, 0), { reason: 'forged' })
  t.match(openToken(seal('guest'), keysFor('guest '), 1, 0), { reason: 'forged' })
})

t.test('a token opens for the use it was sealed for, and no other', async t => {
  t.match(openToken(seal('session.t', 'stamp'), keysFor('session.t', 'cookie'), 1, 0), { reason: 'forged' })
  t.match(openToken(seal('session.t', 'cookie'), keysFor('session.t', 'stamp'), 1, 0), { reason: 'forged' })
})

t.test('every key of a keyring is bound to cookie name and use', async t => {
  const ring: Keys = ['admin', 'cookie', OTHER_KEY, KEY]
  t.match(openToken(seal('guest', 'cookie', KEY), keysFor(...ring), 1, 0), { reason: 'forged' })
})

t.test('a guest cookie that is renamed is no admin session, even if both share a key', async t => {
  const app = await appWith(t, [{ key: KEY, sessionName: 'guest' }, { key: KEY, sessionName: 'admin' }])
  app.get('/guest', async request => { (request as any).guest.set('role', 'any'); return {} })
  app.get('/admin', async request => (request as any).admin.data())
  const browser = new Browser(app)
  await browser.get('/guest')
  const token = browser.cookies.get('guest') as string
  browser.cookies.set('admin', token)
  t.strictSame(await browser.json('/admin'), {})
  t.match(app.lines.at(-2), { msg: 'session cookie refused', cookie: 'admin', reason: 'forged' })
})
