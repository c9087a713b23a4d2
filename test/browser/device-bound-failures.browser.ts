import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fakeClock } from '../helpers/clock'
import { away, CountingStore } from '../revocation/stores'
import { BINDING_CHROMIUM, newProfile } from './browsers'
import {
  asked, bindingEvents, bindingShop, boundUser, committed, cookieNames, dropProof, forget, inChromium, MINUTE_MS,
  REFRESH, REGISTER, until
} from './device-bound'
import { logIn, textOf } from './site'

const ADA = { status: 200, body: { user: 'ada', bound: true } }
const UNBOUND = { status: 200, body: { user: 'ada', bound: false } }

type Answer = (request: FastifyRequest, reply: FastifyReply) => unknown

/** Answers in the place of the plugin's routes, by their URL, while there is one. */
class Instead {
  readonly answers = new Map<string, Answer>()
  readonly before = (app: FastifyInstance): void => {
    app.addHook('onRequest', async (request, reply) => {
      const answer = this.answers.get(request.url)
      if (answer === undefined) return
      await answer(request, reply)
      return reply
    })
  }
}

const status = (code: number): Answer => (_request, reply) => reply.code(code).send()
const hangUp: Answer = (request, reply) => { reply.hijack(); request.raw.socket.destroy() }

inChromium('while the revocation store fails, a bound user gets 503 and stays logged in', async (t, browser) => {
  const store = new CountingStore()
  const shop = await bindingShop(t, { revocation: { store, recheck: 0 } })
  const { page, events } = await boundUser(browser, shop)
  store.instead = away
  await dropProof(browser)
  for (let turn = 0; turn < 2; turn++) {
    forget(shop.seen)
    const { status, body } = await asked(page, '/me')
    t.strictSame([status, body.code], [503, 'FST_SESSION_UNPROVEN'])
    t.match(shop.seen.at(-1)?.headers['secure-session-skipped'], turn === 0 ? /^server_error/ : /./)
  }
  t.equal((await page.goto(shop.url('/private')))?.status(), 503, 'a page as well')
  t.strictSame(await cookieNames(browser), ['session'])
  store.instead = null
  // After some failures Chromium waits for a while before it asks again.
  await until('a page', async () => (await page.goto(shop.url('/private')))?.status() === 200)
  t.equal(await textOf(page), 'welcome ada')
  t.strictSame(await asked(page, '/me'), ADA)
  t.notOk(events.some(event => event.startsWith('ended')), 'by the key that it had')
})

inChromium('if the connection of each refresh breaks, requests get 503 until one succeeds', async (t, browser) => {
  const instead = new Instead()
  const shop = await bindingShop(t, {}, instead)
  const { page } = await boundUser(browser, shop)
  instead.answers.set(REFRESH, hangUp)
  await dropProof(browser)
  forget(shop.seen)
  const reply = await asked(page, '/me')
  t.strictSame([reply.status, reply.body.code], [503, 'FST_SESSION_UNPROVEN'])
  t.match(shop.seen.at(-1)?.headers['secure-session-skipped'], /^unreachable/)
  instead.answers.clear()
  await until('a proof', async () => (await asked(page, '/me')).status === 200)
  t.strictSame(await asked(page, '/me'), ADA)
})

for (const code of [404, 503]) {
  inChromium(`a user whose browser gets ${code} for each refresh stays logged in by the pass`, async (t, browser) => {
    const clock = fakeClock(t, Date.now())
    const instead = new Instead()
    const shop = await bindingShop(t, {}, instead)
    instead.answers.set(REFRESH, status(code))
    const page = await browser.newPage()
    const events = await bindingEvents(page)
    await logIn(page, shop)
    await until('a registration', () => events.includes('created: Success'))
    for (let turn = 0; turn < 2; turn++) {
      clock.advance(12 * MINUTE_MS)
      await dropProof(browser)
      t.strictSame(await asked(page, '/me'), UNBOUND)
    }
    t.ok(shop.seen.some(({ url }) => url === REFRESH), 'the browser has tried')
    t.equal((await page.goto(shop.url('/private')))?.status(), 200)
    t.strictSame(await cookieNames(browser), ['session', 'session.u'])
  })
}

inChromium('a browser that could not register is asked again with the next renewal', async (t, browser) => {
  const clock = fakeClock(t, Date.now())
  const instead = new Instead()
  const shop = await bindingShop(t, { idle: '1h' }, instead)
  for (const code of [400, 503]) {
    instead.answers.set(REGISTER, status(code))
    const page = await browser.newPage()
    const events = await bindingEvents(page)
    await logIn(page, shop)
    await until('a failed registration', () => events.some(event => event.startsWith('created')))
    t.strictSame(await asked(page, '/me'), UNBOUND)
    instead.answers.clear()
    forget(events)
    clock.advance(40 * MINUTE_MS)
    t.strictSame(await asked(page, '/me'), UNBOUND)
    await committed(page, events)
    t.strictSame(await asked(page, '/me'), ADA)
    await browser.clearCookies()
  }
})

inChromium('a 401 by a hook before the plugin ends the key, and by one after it does not', async (t, browser) => {
  const instead = new Instead()
  let isClosed = false
  const shop = await bindingShop(t, {}, {
    before: instead.before,
    after (app) {
      app.addHook('onRequest', async ({ url }, reply) => {
        if (isClosed && url.startsWith('/dbsc')) return await reply.code(401).send()
      })
    }
  })
  const { page, events } = await boundUser(browser, shop)
  isClosed = true
  await dropProof(browser)
  t.strictSame(await asked(page, '/me'), ADA, 'after')
  instead.answers.set(REFRESH, status(401))
  await dropProof(browser)
  t.strictSame((await asked(page, '/me')).body, { user: null, bound: false }, 'before')
  instead.answers.clear()
  t.strictSame((await asked(page, '/me')).body.user, null, 'no key is left')
  forget(events)
  await logIn(page, shop)
  await committed(page, events)
  t.strictSame(await asked(page, '/me'), ADA, 'the next login is bound')
})

inChromium('a late proof of another session is cleared, and the next request is proven', async (t, browser) => {
  const shop = await bindingShop(t)
  const { page, events } = await boundUser(browser, shop, 'eve')
  const late = (await browser.cookies()).find(({ name }) => name === 'session.d')
  forget(events)
  await logIn(page, shop)
  await committed(page, events)
  await browser.addCookies([late as any])
  t.equal((await asked(page, '/me')).body.user, null)
  t.strictSame(await asked(page, '/me'), ADA)
})

inChromium('a browser that has signed too often says so, and gets 503 with Retry-After', async t => {
  const browser = await BINDING_CHROMIUM.open(newProfile(t), { deviceBound: 'limited' })
  t.teardown(async () => { await browser.close() })
  const shop = await bindingShop(t)
  const { page } = await boundUser(browser, shop)
  const limited = await until('the limit', async () => {
    await dropProof(browser)
    const reply = await page.evaluate(async () => {
      const { status, headers } = await fetch('/me')
      return { status, retryAfter: headers.get('retry-after') }
    })
    return reply.status !== 200 && reply
  })
  t.strictSame(limited, { status: 503, retryAfter: '10' })
  t.match(shop.seen.at(-1)?.headers['secure-session-skipped'], /^quota_exceeded/)
  t.strictSame(await cookieNames(browser), ['session'], 'nothing is cleared')
})
