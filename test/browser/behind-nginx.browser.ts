import { KEY } from '../helpers/app'
import { nginxBefore } from '../helpers/nginx'
import { appOfSizes, bytesFor, THREE } from '../splitting/sized'
import { CERTIFICATE, inBrowsers } from './browsers'
import { fetched, jarHolds } from './site'

inBrowsers('behind a real nginx, over HTTP/2, three full cookies pass with default settings', async (t, browser) => {
  const app = await appOfSizes(t, { key: KEY, maxCookies: 3 }, { trustProxy: '127.0.0.1' })
  app.get('/blank', async (_request, reply) => reply.type('text/html').send('<!doctype html>'))
  const upstream = await app.listen({ host: '127.0.0.1', port: 0 })
  const location = 'proxy_buffer_size 14k; proxy_set_header X-Forwarded-Proto $scheme;'
  const { port } = await nginxBefore(t, { upstream, location, tls: CERTIFICATE, http2: true })
  const page = await browser.newPage()
  await page.goto(`https://shop.test:${port}/blank`)
  t.equal(await page.evaluate(() => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol), 'h2')

  const size = bytesFor(app, THREE)
  await fetched(page, `/fill/${size}`)
  await jarHolds(t, browser, ['session.1@shop.test/', 'session.2@shop.test/', 'session@shop.test/'])
  t.ok((await browser.cookies()).every(({ secure }) => secure))
  t.strictSame(await fetched(page, '/size'), { size })
  await fetched(page, '/delete')
  await jarHolds(t, browser, [])
})
