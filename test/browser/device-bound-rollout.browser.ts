import { fakeClock } from '../helpers/clock'
import { freePort } from '../helpers/redis-server'
import { CERTIFICATE } from './browsers'
import {
  asked, bindingEvents, bindingShop, boundUser, brief, committed, cookieHeader, cookieNames, dropProof, forget,
  inChromium, MINUTE_MS, REFRESH, until
} from './device-bound'
import { logIn } from './site'
import { ask } from './visitor'

const BOUND = { user: 'ada', bound: true }
const UNBOUND = { user: 'ada', bound: false }

inChromium('a user who is logged in before the option is on stays so until the next login', async (t, browser) => {
  const port = await freePort()
  const before = await bindingShop(t, { deviceBound: false }, {}, { port })
  const page = await browser.newPage()
  await logIn(page, before)
  t.strictSame(await cookieNames(browser), ['session'])
  await before.app.close()

  const after = await bindingShop(t, {}, {}, { port })
  const events = await bindingEvents(page)
  t.strictSame((await asked(page, '/me')).body, UNBOUND)
  await asked(page, '/set/lang/en')
  t.strictSame((await asked(page, '/me')).body, UNBOUND, 'also after a write')
  t.strictSame(await cookieNames(browser), ['session'])
  await logIn(page, after)
  await committed(page, events)
  t.strictSame((await asked(page, '/me')).body, BOUND)
})

inChromium('with offer: false, bound sessions stay bound, and logins are bound no more', async (t, browser) => {
  const port = await freePort()
  const before = await bindingShop(t, {}, {}, { port })
  const { page, events } = await boundUser(browser, before)
  await before.app.close()

  const after = await bindingShop(t, { deviceBound: { offer: false } }, {}, { port })
  await dropProof(browser)
  t.strictSame((await asked(page, '/me')).body, BOUND)
  forget(events)
  await logIn(page, after, 'ada')
  await dropProof(browser)
  t.strictSame((await asked(page, '/me')).body, UNBOUND)
  t.notOk(events.some(event => event.startsWith('created')))
  t.ok(events.includes('ended: ServerRequested'), 'and the key of the login before has ended')
})

inChromium('without the option, a bound session ends when its proof is over', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const port = await freePort()
  const before = await bindingShop(t, {}, {}, { port })
  const { page, events } = await boundUser(browser, before)
  await before.app.close()

  const after = await bindingShop(t, { deviceBound: false }, {}, { port })
  t.strictSame((await asked(page, '/me')).body, BOUND, 'a proof counts for as long')
  clock.advance(11 * MINUTE_MS)
  await dropProof(browser)
  t.equal((await asked(page, '/me')).body.user, null)
  await until('the end of the key', () => events.some(event => /^refreshed: (?!Refreshed)/.test(event)))
  await logIn(page, after)
  t.strictSame((await asked(page, '/me')).body, UNBOUND)
})

inChromium('with enforce: false a copy without a proof passes, and the browser signs still', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const shop = await bindingShop(t, { deviceBound: { enforce: false } })
  const { page } = await boundUser(browser, shop)
  const copied = await cookieHeader(browser)
  clock.advance(11 * MINUTE_MS)
  const url = `https://127.0.0.1:${new URL(shop.url()).port}/me`
  const { body } = await ask(url, { headers: { cookie: copied }, ca: CERTIFICATE.cert })
  t.strictSame(JSON.parse(body.toString()), UNBOUND)
  await dropProof(browser)
  forget(shop.seen)
  t.strictSame((await asked(page, '/me')).body, BOUND)
  t.strictSame(brief(shop.seen), [`POST ${REFRESH} session`, 'GET /me session,session.d'])
})
