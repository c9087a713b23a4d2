import { EventEmitter, once } from 'node:events'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { KEY } from '../helpers/app'
import { inBrowsers } from './browsers'
import { fetched, html, jarHolds, logIn, shop } from './site'

function replies (app: FastifyInstance): void {
  app.get('/status/:status', async ({ session, params }, reply) => {
    const { status } = params as { status: string }
    session.set('last', status)
    return html(reply.code(Number(status)), `<p>${status}</p>`)
  })
  app.get('/throw', async ({ session }) => {
    session.set('last', 'throw')
    throw new Error('on purpose')
  })
  app.setNotFoundHandler(async ({ session }, reply) => {
    session.set('last', 'nowhere')
    return html(reply.code(404), '<p>nowhere</p>')
  })
  app.get('/hop/:left', async ({ session, params }, reply) => {
    const left = Number((params as { left: string }).left)
    session.set('hops', [...session.get('hops') ?? [], left])
    return await reply.redirect(left === 0 ? '/blank' : `/hop/${left - 1}`)
  })
  app.get('/stream', async ({ session }, reply) => {
    session.set('last', 'stream')
    reply.header('content-disposition', 'attachment; filename=report.txt').type('text/plain')
    return await reply.send(Readable.from(['one ', 'two ', 'three']))
  })
  app.get('/revalidated', async ({ session, headers }, reply) => {
    session.set('visits', (session.get('visits') ?? 0) + 1)
    reply.headers({ etag: '"1"', 'cache-control': 'private, no-cache' })
    return headers['if-none-match'] === '"1"' ? await reply.code(304).send() : 'once'
  })
}

inBrowsers('a session that is set with an error, a 404 or a redirect is kept', async (t, browser) => {
  const site = await shop(t, { key: KEY }, replies)
  const page = await browser.newPage()
  for (const [path, last] of [['/status/401', '401'], ['/status/404', '404'], ['/status/500', '500'], ['/throw', 'throw'], ['/nowhere/at/all', 'nowhere']] as const) {
    await page.goto(site.url(path))
    await page.goto(site.url())
    t.match(await fetched(page, '/get'), { last }, path)
  }
  await page.goto(site.url('/hop/3'))
  t.match(await fetched(page, '/get'), { hops: [3, 2, 1, 0] }, 'each redirect sees what the one before has set')
  await jarHolds(t, browser, ['session@shop.test/'])
})

inBrowsers('a session that is set with a stream or a 304 is kept', async (t, browser) => {
  const site = await shop(t, { key: KEY }, replies)
  const page = await browser.newPage()
  await page.goto(site.url())
  t.equal(await fetched(page, '/stream'), 'one two three')
  t.match(await fetched(page, '/get'), { last: 'stream' })
  for (const visits of [1, 2, 3]) {
    t.equal(await fetched(page, '/revalidated'), 'once')
    t.match(await fetched(page, '/get'), { visits })
  }
})

inBrowsers('a request that outlives its page has the session, and its changes are kept', async (t, browser) => {
  const answers = new EventEmitter()
  const site = await shop(t, { key: KEY }, app => {
    app.post('/leaving', { onResponse: async () => { answers.emit('answered') } }, async ({ session }) => {
      session.set('left', session.get('user'))
      return {}
    })
  })
  const page = await browser.newPage()
  await logIn(page, site)
  await page.evaluate(() => { addEventListener('pagehide', () => { fetch('/leaving', { method: 'POST', keepalive: true }).catch(() => {}) }) })
  const answered = once(answers, 'answered')
  await page.goto(site.url('/blank', 'bank.test'))
  await answered
  await page.goto(site.url())
  t.strictSame(await fetched(page, '/get'), { user: 'ada', left: 'ada' })
})

inBrowsers('after a logout the back button does not show a private page with no-store', async (t, browser) => {
  const site = await shop(t, { key: KEY }, app => {
    app.addHook('onRequest', async ({ url }, reply) => { if (url.startsWith('/private')) reply.header('cache-control', 'no-store') })
  })
  const page = await browser.newPage()
  await logIn(page, site)
  await page.goto(site.url('/private?orders'))
  await page.click('button')
  await page.waitForSelector('text=who are you?')
  for (const [step, path] of [['back', '/private?orders'], ['forward', '/private']] as const) {
    const answered = page.waitForResponse(site.url(path))
    await page.evaluate(step => { history[step]() }, step)
    t.equal((await answered).status(), 401, `${step}: the server is asked`)
    await page.waitForSelector('text=who are you?')
  }
})

inBrowsers('a page that the browser may cache is not shown to the next user of that browser', async (t, browser) => {
  const site = await shop(t, { key: KEY }, app => {
    app.get('/mine', async ({ session }, reply) => {
      reply.header('cache-control', 'private, max-age=600')
      return { user: session.get('user') ?? null }
    })
  })
  const page = await browser.newPage()
  const asked = (): number => site.seen.filter(({ url }) => url === '/mine').length
  for (const [index, user] of ['ada', 'grace'].entries()) {
    await logIn(page, site, user)
    t.strictSame(await fetched(page, '/mine'), { user })
    t.strictSame(await fetched(page, '/mine'), { user })
    t.equal(asked(), index + 1, 'kept for as long as the session is the same')
  }
  await page.click('button')
  await page.waitForSelector('text=who are you?')
  t.strictSame(await fetched(page, '/mine'), { user: null })
})
