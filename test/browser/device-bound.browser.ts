import { fakeClock } from '../helpers/clock'
import {
  asked, bindingEvents, bindingShop, boundUser, brief, committed, cookieNames, dropProof, forget, inChromium,
  MINUTE_MS, REFRESH, REGISTER, until
} from './device-bound'
import { logIn } from './site'

inChromium('after a login the browser registers a key, and its first refresh clears the pass', async (t, browser) => {
  const shop = await bindingShop(t)
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await logIn(page, shop)
  await until('a registration', () => events.includes('created: Success'))
  const value = async (): Promise<unknown> => (await browser.cookies()).find(({ name }) => name === 'session')?.value
  const sealed = await value()
  await committed(page, events)
  t.strictSame(await cookieNames(browser), ['session', 'session.d'], 'the pass is gone')
  t.strictSame(await asked(page, '/me'), { status: 200, body: { user: 'ada', bound: true } })
  t.equal(await value(), sealed, 'the session itself is not written')
  const ours = shop.seen.filter(({ url }) => url.startsWith('/dbsc/')).slice(0, 2)
  t.strictSame(brief(ours), [`POST ${REGISTER} session,session.u`, `POST ${REFRESH} session,session.d,session.u`])
  const byBrowser = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'empty' }
  for (const { headers } of ours) {
    t.match(headers, { ...byBrowser, 'content-length': '0' })
    t.ok(String(headers['secure-session-response']).length < 700, 'it signed at once')
  }
})

inChromium('pass and proof are HttpOnly, Secure and Lax, and the proof ends after proofFor', async (t, browser) => {
  let register: () => void = () => {}
  const mayRegister = new Promise<void>(resolve => { register = resolve })
  const shop = await bindingShop(t, { deviceBound: { proofFor: '10m' } }, {
    before: app => { app.addHook('onRequest', async ({ url }) => { if (url === REGISTER) await mayRegister }) }
  })
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await logIn(page, shop)
  const cookie = async (name: string): Promise<any> => (await browser.cookies()).find(cookie => cookie.name === name)
  const usual = { domain: 'shop.test', path: '/', httpOnly: true, secure: true, sameSite: 'Lax' }
  const secondsFromNow = async (name: string): Promise<number> => (await cookie(name)).expires - Date.now() / 1000
  t.match(await cookie('session.u'), usual)
  t.ok(await secondsFromNow('session.u') > 300 * 24 * 3600)
  register()
  await committed(page, events)
  t.match(await cookie('session.d'), usual)
  const leftS = await secondsFromNow('session.d')
  t.ok(leftS > 60 && leftS <= 600, 'longer than the first proof, which the refresh replaced')
  t.equal(await page.evaluate(() => document.cookie), '')
})

inChromium('when a proof is over, the browser signs again before its next request goes out', async (t, browser) => {
  const shop = await bindingShop(t, { deviceBound: { proofFor: '5s' } })
  const { page } = await boundUser(browser, shop)
  await until('the end of the proof', async () => (await cookieNames(browser)).join() === 'session')
  forget(shop.seen)
  t.strictSame(await asked(page, '/me'), { status: 200, body: { user: 'ada', bound: true } })
  t.strictSame(brief(shop.seen).slice(0, 2), [`POST ${REFRESH} session`, 'GET /me session,session.d'], 'in one trip')
})

inChromium('a browser that comes back after a long time signs twice in one wait', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const shop = await bindingShop(t, { idle: '3d' })
  const { page } = await boundUser(browser, shop)
  clock.advance(24 * 60 * MINUTE_MS)
  await dropProof(browser)
  forget(shop.seen)
  t.strictSame(await asked(page, '/me'), { status: 200, body: { user: 'ada', bound: true } })
  t.strictSame(brief(shop.seen), [`POST ${REFRESH} session`, `POST ${REFRESH} session`, 'GET /me session,session.d'])
})

inChromium('a login by fetch() is bound as well', async (t, browser) => {
  const shop = await bindingShop(t)
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await page.goto(shop.url())
  t.equal((await asked(page, '/set/user/ada')).status, 200)
  await committed(page, events)
  t.strictSame((await asked(page, '/me')).body, { user: 'ada', bound: true })
})

inChromium('a logout clears all cookies of the session, and the next refresh ends the key', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page, events } = await boundUser(browser, shop)
  await page.goto(shop.url('/private'))
  await page.click('button')
  await page.waitForSelector('text=who are you?')
  await until('the end of the key', () => events.includes('ended: ServerRequested'))
  await until('the end of all cookies', async () => {
    // A refresh that was under way may have set one more proof, of a session that is gone.
    await dropProof(browser)
    return (await cookieNames(browser)).length === 0
  })
  forget(shop.seen)
  await page.reload()
  t.strictSame(brief(shop.seen), ['GET /private '], 'nothing is signed any more')
})

inChromium('a second login has a key of its own, and the old key ends in the same wait', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page, events } = await boundUser(browser, shop)
  forget(events)
  await logIn(page, shop, 'grace')
  await until('a registration', () => events.includes('created: Success'))
  await committed(page, events)
  await dropProof(browser)
  forget(shop.seen)
  t.strictSame(await asked(page, '/me'), { status: 200, body: { user: 'grace', bound: true } })
  await until('the end of the old key', () => events.includes('ended: ServerRequested'))
  await dropProof(browser)
  forget(shop.seen)
  t.strictSame(await asked(page, '/me'), { status: 200, body: { user: 'grace', bound: true } })
  t.strictSame(brief(shop.seen), [`POST ${REFRESH} session`, 'GET /me session,session.d'], 'one key is left')
})

inChromium('regenerate() binds the session anew', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page, events } = await boundUser(browser, shop)
  forget(events)
  await asked(page, '/regenerate?keep=user')
  await committed(page, events)
  await dropProof(browser)
  t.strictSame(await asked(page, '/me'), { status: 200, body: { user: 'ada', bound: true } })
})
