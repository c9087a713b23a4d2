import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { BrowserContext } from 'playwright-core'
import type { Test } from 'tap'
import type secureSession from '../../index'
import { KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { inBrowsers, newProfile, type Engine, type Starting } from './browsers'
import { jarHolds, logIn, shop, type Site } from './site'

const DAY_S = 24 * 60 * 60

type Session = (visit: (browser: BrowserContext) => Promise<void>, how?: Starting) => Promise<void>

/** @returns `session` starts the browser, and closes it when it is done */
async function restarting (t: Test, engine: Engine, options: secureSession.Options, routes = lastingRoutes): Promise<{ site: Site, session: Session }> {
  const site = await shop(t, options, routes)
  const profile = newProfile(t)
  return {
    site,
    async session (visit, how) {
      const browser = await engine.open(profile, how)
      try {
        await visit(browser)
      } finally {
        await browser.close()
      }
    }
  }
}

function lastingRoutes (app: FastifyInstance): void {
  app.get('/lasting/:user', async request => { lasting(request).set('user', (request.params as { user: string }).user); return {} })
  app.get('/both', async request => ({ brief: request.session.get('user'), lasting: lasting(request).get('user') }))
  app.get('/end', async request => { lasting(request).delete(); return {} })
}

function lasting (request: FastifyRequest): secureSession.Session {
  return (request as unknown as { lasting: secureSession.Session }).lasting
}

inBrowsers('a session ends with the browser, and a persistent session survives a restart', async (t, _shared, engine) => {
  const { site, session } = await restarting(t, engine, [
    { key: KEY },
    { key: KEY, sessionName: 'lasting', persistent: true, absolute: '10d' }
  ])
  await session(async browser => {
    const page = await browser.newPage()
    await logIn(page, site)
    await page.goto(site.url('/lasting/ada'))
    const [brief, lasting] = (await browser.cookies()).sort((a, b) => a.expires - b.expires)
    t.match(brief, { name: 'session', expires: -1 })
    t.match(lasting, { name: 'lasting' })
    t.ok(Math.abs(Number(lasting?.expires) - (Date.now() / 1000 + 10 * DAY_S)) < 300, 'the browser drops it then by itself')
  })
  await session(async browser => {
    await jarHolds(t, browser, ['lasting@shop.test/'])
    const page = await browser.newPage()
    t.strictSame(await (await page.goto(site.url('/both')))?.json(), { lasting: 'ada' })
    await page.goto(site.url('/end'))
  })
  await session(async browser => { await jarHolds(t, browser, [], 'a logout is for good') })
})

inBrowsers('session.options() decides whether one session survives a restart', async (t, _shared, engine) => {
  const names = ['made-persistent', 'made-long', 'made-brief', 'long']
  const { site, session } = await restarting(t, engine, [
    { key: KEY, sessionName: 'made-persistent' },
    { key: KEY, sessionName: 'made-long' },
    { key: KEY, sessionName: 'made-brief', persistent: true },
    { key: KEY, sessionName: 'long', cookie: { maxAge: DAY_S } }
  ], ownOptions)
  await session(async browser => {
    await (await browser.newPage()).goto(site.url('/set-all'))
    await jarHolds(t, browser, names.map(name => `${name}@shop.test/`).sort())
  })
  await session(async browser => {
    await jarHolds(t, browser, ['long@shop.test/', 'made-long@shop.test/', 'made-persistent@shop.test/'])
  })
}, ['Chromium'])

function ownOptions (app: FastifyInstance): void {
  app.get('/set-all', async request => {
    const named = (name: string): secureSession.Session => (request as unknown as Record<string, secureSession.Session>)[name] as secureSession.Session
    for (const name of ['made-persistent', 'made-long', 'made-brief', 'long']) named(name).set('user', 'ada')
    named('made-persistent').options({ persistent: true })
    named('made-long').options({ maxAge: 90 * DAY_S })
    named('made-brief').options({ persistent: false })
    return {}
  })
}

inBrowsers('a browser that restores its tabs restores sessions, and the server\'s limits apply', async (t, _shared, engine) => {
  const clock = fakeClock(t, Date.now())
  const { site, session } = await restarting(t, engine, { key: KEY, idle: '1h' })
  const shown = async (browser: BrowserContext): Promise<unknown> => {
    const page = await browser.newPage()
    return await (await page.goto(site.url('/get')))?.json()
  }
  await session(async browser => { await logIn(await browser.newPage(), site) }, { restoresTabs: true })
  await session(async browser => { t.match(await shown(browser), { user: 'ada' }, 'it is back') }, { restoresTabs: true })
  clock.advance(60 * 60_000 + 1)
  await session(async browser => {
    await jarHolds(t, browser, ['session@shop.test/'])
    t.strictSame(await shown(browser), {}, 'and over by now')
  }, { restoresTabs: true })
}, ['Chromium'])
