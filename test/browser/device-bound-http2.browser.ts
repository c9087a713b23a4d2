import secureSession from '../../index'
import { addRoutes, bareApp, KEY } from '../helpers/app'
import { nginxBefore } from '../helpers/nginx'
import { CERTIFICATE } from './browsers'
import { asked, bindingEvents, bindingShop, boundUser, committed, dropProof, inChromium } from './device-bound'

function protocol (): string {
  return (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol
}

inChromium('a session is bound over HTTP/2', async (t, browser) => {
  const shop = await bindingShop(t, {}, {}, { http2: true })
  const { page } = await boundUser(browser, shop)
  t.equal(await page.evaluate(protocol), 'h2')
  for (let turn = 0; turn < 2; turn++) {
    await dropProof(browser)
    t.strictSame((await asked(page, '/me')).body, { user: 'ada', bound: true })
  }
})

inChromium('a session is bound by an app behind an nginx that ends TLS', async (t, browser) => {
  const app = bareApp(t, { trustProxy: '127.0.0.1' })
  await app.register(secureSession, { key: KEY, subject: session => session.get('user'), deviceBound: true })
  addRoutes(app)
  app.get('/blank', async (_request, reply) => reply.type('text/html').send('<!doctype html>'))
  const upstream = await app.listen({ host: '127.0.0.1', port: 0 })
  const location = 'proxy_set_header X-Forwarded-Proto $scheme;'
  const { port } = await nginxBefore(t, { upstream, location, tls: CERTIFICATE, http2: true })
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await page.goto(`https://shop.test:${port}/blank`)
  await asked(page, '/set/user/ada')
  await committed(page, events)
  await dropProof(browser)
  t.match((await asked(page, '/info')).body, { bound: true })
  t.strictSame((await asked(page, '/get')).body, { user: 'ada' })
})
