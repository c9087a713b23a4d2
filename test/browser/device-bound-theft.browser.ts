import { createHmac, generateKeyPairSync } from 'node:crypto'
import type { BrowserContext } from 'playwright-core'
import type { Test } from 'tap'
import { jwtOf } from '../bound/site'
import { setCookies } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { BINDING_CHROMIUM, CERTIFICATE, newProfile } from './browsers'
import {
  asked, bindingEvents, bindingShop, boundUser, cookieHeader, dropProof, inChromium, MINUTE_MS, REFRESH, REGISTER
} from './device-bound'
import { logIn, type Seen, type Site } from './site'
import { ask, type Answer } from './visitor'

const ADA = { user: 'ada', bound: true }
const DAY_S = 24 * 3600

/** A client that is no browser. */
async function plain (
  shop: Site, path: string, headers: Record<string, string>, method: 'GET' | 'POST' = 'GET'
): Promise<Answer> {
  const { port } = new URL(shop.url())
  return await ask(`https://127.0.0.1:${port}${path}`, { method, headers, ca: CERTIFICATE.cert })
}

async function userOf (shop: Site, cookie: string): Promise<string | null> {
  const { status, body } = await plain(shop, '/me', { cookie })
  return status === 200 ? JSON.parse(body.toString()).user : String(status)
}

/** The browser of a thief, who lets no cookie end. */
async function thief (t: Test, cookies: Awaited<ReturnType<BrowserContext['cookies']>>): Promise<BrowserContext> {
  const browser = await BINDING_CHROMIUM.open(newProfile(t))
  t.teardown(async () => { await browser.close() })
  await browser.addCookies(cookies.map(cookie => ({ ...cookie, expires: Math.ceil(Date.now() / 1000) + DAY_S })))
  return browser
}

inChromium('a copied cookie jar is refused once its proof is over, in a browser and elsewhere', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const shop = await bindingShop(t)
  const { page } = await boundUser(browser, shop)
  const copied = await cookieHeader(browser)
  const other = await thief(t, await browser.cookies())
  const theirs = await other.newPage()
  const events = await bindingEvents(theirs)
  await theirs.goto(shop.url())
  t.strictSame((await asked(theirs, '/me')).body, ADA, 'a copy is good for as long as its proof')
  t.equal(await userOf(shop, copied), 'ada')

  clock.advance(11 * MINUTE_MS)
  t.equal((await asked(theirs, '/me')).body.user, null)
  t.equal((await theirs.goto(shop.url('/private')))?.status(), 401)
  t.equal(await userOf(shop, copied), null)
  t.strictSame(events, [], 'that browser has no key')
  await dropProof(browser)
  t.strictSame((await asked(page, '/me')).body, ADA, 'the user goes on')
  t.equal(await userOf(shop, await cookieHeader(browser)), 'ada')
})

inChromium('parts of a jar, or parts of two jars, are refused', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page, events } = await boundUser(browser, shop, 'eve')
  const values = async (): Promise<Map<string, string>> => {
    return new Map((await browser.cookies()).map(({ name, value }) => [name, value]))
  }
  const eve = await values()
  events.length = 0
  await logIn(page, shop, 'ada')
  const pass = (await values()).get('session.u') as string
  await boundUser(browser, shop)
  const ada = await values()
  const session = `session=${ada.get('session')}`
  t.equal(await userOf(shop, `${session}; session.d=${ada.get('session.d')}`), 'ada', 'which is well-formed')
  for (const [what, cookie] of Object.entries({
    'the session alone': session,
    'the proof alone, as the session': `session=${ada.get('session.d')}; session.d=${ada.get('session.d')}`,
    'the proof of another session': `${session}; session.d=${eve.get('session.d')}`,
    'the pass of another login': `${session}; session.u=${pass}`,
    'a guessed pass': `${session}; session.u=${'A'.repeat(22)}`,
    'the proof as pass': `${session}; session.u=${ada.get('session.d')}`
  })) t.equal(await userOf(shop, cookie), null, what)
})

inChromium('a copy of what the browser signed, and keys of a thief, make no proof', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const shop = await bindingShop(t)
  await boundUser(browser, shop)
  const sent = (url: string): Seen => shop.seen.filter(seen => seen.url === url).at(-1) as Seen
  const [registration, refresh] = [sent(REGISTER), sent(REFRESH)]
  const all = await cookieHeader(browser)
  const session = all.split('; ').filter(pair => pair.startsWith('session=')).join()
  const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = mine.publicKey.export({ format: 'jwk' })
  const jwk = { kty, crv, x, y }
  const post = async (path: string, cookie?: string, response?: string): Promise<Answer> => await plain(shop, path, {
    ...(cookie === undefined ? {} : { cookie }),
    ...(response === undefined ? {} : { 'secure-session-response': response }),
    'sec-secure-session-id': String(refresh.headers['sec-secure-session-id'])
  }, 'POST')
  const signed = String(refresh.headers['secure-session-response'])
  const registered = String(registration.headers['secure-session-response'])
  const jtiOf = (jwt: string): string => {
    return JSON.parse(Buffer.from(jwt.split('.')[1] as string, 'base64url').toString()).jti
  }
  const challenged = await post(REFRESH, session)
  t.equal(challenged.status, 403, 'no signature')
  const jti = /^"([^"]+)"/.exec(String(challenged.headers['secure-session-challenge']))?.[1] as string

  const refused = async (what: string, status: number, path: string, response: string): Promise<void> => {
    const answer = await post(path, all, response)
    t.strictSame([answer.status, answer.lines], [status, []], what)
  }
  await refused('the registration, replayed', 400, REGISTER, registered)
  const own = jwtOf(mine.privateKey, { jti: jtiOf(registered) }, { jwk })
  await refused('a registration of their own key', 400, REGISTER, own)
  await refused('their own signature', 403, REFRESH, jwtOf(mine.privateKey, { jti }))
  await refused('their own signature and key', 403, REFRESH, jwtOf(mine.privateKey, { jti }, { jwk }))
  await refused('a signature of the registration', 403, REFRESH, registered)
  await refused('no algorithm', 403, REFRESH, jwtOf(mine.privateKey, { jti }, { alg: 'none' }))
  await refused('a symmetric algorithm', 403, REFRESH, symmetric(jti, Buffer.from(String(x), 'base64url')))

  const replayed = await post(REFRESH, session, signed)
  t.equal(replayed.status, 204, 'a signature counts for as long as its challenge')
  clock.advance(12 * MINUTE_MS)
  await refused('the same later', 403, REFRESH, signed)
  const anothers = setCookies(await shop.app.inject('/set/user/eve')).map(line => line.split(';')[0]).join('; ')
  for (const [what, cookie] of Object.entries({ 'without the session': undefined, 'with another': anothers })) {
    const answer = await post(REFRESH, cookie, signed)
    t.strictSame([answer.status, JSON.parse(answer.body.toString()).continue, answer.lines], [200, false, []], what)
  }
})

function symmetric (jti: string, secret: Buffer): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'dbsc+jwt' })}.${part({ jti })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

inChromium('a copy from before the first refresh has the pass, and is as good as the session', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const shop = await bindingShop(t)
  await boundUser(browser, shop)
  const early = shop.seen.find(({ url }) => url === REGISTER) as Seen
  clock.advance(60 * MINUTE_MS)
  t.equal(await userOf(shop, String(early.cookie)), 'ada')
})

inChromium('a script of the page can read the challenge of a login, and can register no key', async (t, browser) => {
  const shop = await bindingShop(t)
  const page = await browser.newPage()
  await page.goto(shop.url())
  const statuses = await page.evaluate(async path => {
    const base64url = (bytes: ArrayBuffer | Uint8Array): string => btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
    const part = (value: object): string => base64url(new TextEncoder().encode(JSON.stringify(value)))
    const { headers } = await fetch('/set/user/ada')
    const jti = /challenge="([^"]+)"/.exec(headers.get('secure-session-registration') ?? '')?.[1]
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign'])
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
    const signed = `${part({ alg: 'ES256', jwk: { kty, crv, x, y }, typ: 'dbsc+jwt' })}.${part({ jti })}`
    const signature = await crypto.subtle.sign(algorithm, privateKey, new TextEncoder().encode(signed))
    const statuses = [jti?.length]
    for (const mode of ['cors', 'same-origin', 'no-cors'] as const) {
      const init = { method: 'POST', mode, headers: { 'Secure-Session-Response': `${signed}.${base64url(signature)}` } }
      statuses.push((await fetch(path, init)).status)
    }
    return statuses
  }, REGISTER)
  t.strictSame(statuses, [92, 400, 400, 400])
  // The browser itself registers as well, in the mode no-cors; in this mode it takes the header of a script away.
  const withJwt = shop.seen.filter(seen => seen.url === REGISTER && 'secure-session-response' in seen.headers)
  const modes = withJwt.map(({ headers }) => headers['sec-fetch-mode']).filter(mode => mode !== 'no-cors')
  t.strictSame(modes, ['cors', 'same-origin'], 'the mode says that a script made it')
})
