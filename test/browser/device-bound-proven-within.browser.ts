import { fakeClock } from '../helpers/clock'
import { CERTIFICATE } from './browsers'
import {
  asked, bindingEvents, bindingShop, boundUser, brief, cookieHeader, forget, inChromium, MINUTE_MS, REFRESH, until
} from './device-bound'
import { html, logIn, type Site } from './site'
import { ask } from './visitor'
import type { Test } from 'tap'

const FORM = '<form method=post action=/pay><input name=amount value=7><button>pay</button></form>'

async function bank (t: Test): Promise<Site> {
  return await bindingShop(t, {}, {
    after (app) {
      const onRequest = app.requireSession({ provenWithin: '2m' })
      app.get('/form', async (_request, reply) => html(reply, FORM))
      app.get('/pay', { onRequest }, async ({ session }, reply) => html(reply, `<p>${session.get('user')} may pay</p>`))
      app.post('/pay', { onRequest }, async ({ session, body }, reply) => {
        return html(reply, `<p>${session.get('user')} paid ${(body as { amount: number }).amount}</p>`)
      })
      const bound = app.requireSession({ bound: true })
      app.get('/bound', { onRequest: bound }, async ({ session }) => session.info.provenAt)
    }
  })
}

inChromium('provenWithin makes the browser sign at once, and a POST arrives with its body', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const shop = await bank(t)
  const { page } = await boundUser(browser, shop)
  const fetched = async (options: object): Promise<unknown> => {
    return /<p>(.*)<\/p>/.exec((await asked(page, '/pay', options)).body)?.[1]
  }
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"amount":5}' }

  forget(shop.seen)
  t.equal(await fetched(post), 'ada paid 5')
  t.strictSame(brief(shop.seen), ['POST /pay session,session.d'], 'its proof was new enough')
  const detour = (method: string): string[] => {
    return [`${method} /pay session,session.d`, `POST ${REFRESH} session`, `${method} /pay session,session.d`]
  }
  for (const [options, said] of [[{}, 'ada may pay'], [post, 'ada paid 5']] as const) {
    clock.advance(3 * MINUTE_MS)
    forget(shop.seen)
    t.equal(await fetched(options), said)
    t.strictSame(brief(shop.seen), detour('method' in options ? 'POST' : 'GET'))
  }

  clock.advance(3 * MINUTE_MS)
  await page.goto(shop.url('/form'))
  forget(shop.seen)
  await page.click('button')
  await page.waitForSelector('text=ada paid 7')
  t.strictSame(brief(shop.seen), detour('POST'), 'a form')
  clock.advance(3 * MINUTE_MS)
  await page.goto(shop.url('/pay'))
  await page.waitForSelector('text=ada may pay')
})

inChromium('provenWithin lets no copy of the cookies in, though their proof is not over', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const shop = await bank(t)
  await boundUser(browser, shop)
  const cookie = await cookieHeader(browser)
  const { port } = new URL(shop.url())
  const copy = async (path: string, headers = { cookie }): Promise<unknown[]> => {
    const url = `https://127.0.0.1:${port}${path}`
    const { status, headers: { location }, lines } = await ask(url, { headers, ca: CERTIFICATE.cert })
    return [status, location, lines.map(line => line.slice(0, line.indexOf(';')))]
  }
  clock.advance(3 * MINUTE_MS)
  t.strictSame(await copy('/me'), [200, undefined, []])
  for (let turn = 0; turn < 2; turn++) t.strictSame(await copy('/pay'), [307, '/pay', ['session.d=']])
  const session = cookie.split('; ').filter(pair => pair.startsWith('session=')).join()
  t.equal((await copy('/pay', { cookie: session }))[0], 401, 'and without the proof it is refused')
})

inChromium('a route for bound sessions lets a user in as soon as the browser has registered', async (t, browser) => {
  const shop = await bank(t)
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await logIn(page, shop)
  await until('a registration', () => events.includes('created: Success'))
  const { status, body } = await asked(page, '/bound')
  t.equal(status, 200)
  t.ok(body > Date.now() - 10 * MINUTE_MS && body <= Date.now())
})
