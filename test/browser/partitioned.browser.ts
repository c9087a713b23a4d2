import type { Frame, Page } from 'playwright-core'
import { KEY } from '../helpers/app'
import { inBrowsers, type Host } from './browsers'
import { fetched, jarHolds, shop, type Site } from './site'

const EMBEDDED = { sameSite: 'none', partitioned: true } as const

inBrowsers('a partitioned session in a frame of another site belongs to that site alone', async (t, browser) => {
  const site = await shop(t, { key: KEY, cookieName: '__Host-session', cookie: EMBEDDED })
  const frame = await framed(await browser.newPage(), site, 'bank.test')
  await inFrame(frame, '/set/user/ada')
  t.strictSame(await inFrame(frame, '/get'), { user: 'ada' })
  const other = await browser.newPage()
  await other.goto(site.url())
  t.strictSame(await fetched(other, '/get'), {}, 'the shop itself has none of it')
  await fetched(other, '/set/user/grace')
  t.strictSame(await inFrame(frame, '/get'), { user: 'ada' }, 'nor does it overwrite it')
  await inFrame(frame, '/delete')
  t.strictSame(await inFrame(frame, '/get'), {})
  t.strictSame(await fetched(other, '/get'), { user: 'grace' }, 'a logout in the frame is for the frame')
  await fetched(other, '/delete')
  await jarHolds(t, browser, [])
})

inBrowsers('a browser that blocks third-party cookies keeps no SameSite=None session in a frame', async (t, browser) => {
  const site = await shop(t, { key: KEY, cookie: { sameSite: 'none' } })
  const frame = await framed(await browser.newPage(), site, 'bank.test')
  await inFrame(frame, '/set/user/ada')
  t.strictSame(await inFrame(frame, '/get'), {})
  await jarHolds(t, browser, [])
}, ['Chromium'])

/** The shop, in a frame of another site. */
async function framed (page: Page, site: Site, host: Host): Promise<Frame> {
  await page.goto(site.url('/blank', host))
  const arrived = page.waitForEvent('framenavigated', frame => frame.parentFrame() !== null)
  await page.evaluate(url => { document.body.innerHTML = `<iframe src=${url}></iframe>` }, site.url())
  const frame = await arrived
  await frame.waitForLoadState()
  return frame
}

async function inFrame (frame: Frame, path: string): Promise<unknown> {
  return await frame.evaluate(async path => await (await fetch(path)).json(), path)
}
