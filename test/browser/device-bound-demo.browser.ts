import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { passwordOf, startDemo, type Demo } from '../examples/demo-visitor'
import { openChromium } from '../helpers/chromium'
import { found } from '../helpers/started'
import { newProfile } from './browsers'

/** The demo over TLS, in a Chromium that is started as the demo says. */

const LOOKS = 100
const MS_BETWEEN_LOOKS = 100

interface MovableDemo extends Demo {
  advance (minutes: number): Promise<void>
}

async function startMovable (t: Test): Promise<MovableDemo> {
  const folder = t.testdir({
    ahead: '0',
    'clock.js': `
      const { readFileSync } = require('node:fs')
      const now = Date.now
      Date.now = () => now() + Number(readFileSync(__dirname + '/ahead', 'utf8'))`
  })
  const demo = await startDemo(t, join(folder, 'keys'), { overTls: true, preload: [join(folder, 'clock.js')] })
  let aheadMs = 0
  return { ...demo, advance: async minutes => { await writeFile(join(folder, 'ahead'), String(aheadMs += minutes * 60_000)) } }
}

/** @param bindsSessions false: without the flag for device bound sessions */
async function open (t: Test, { printed }: Demo, bindsSessions = true): Promise<BrowserContext> {
  const browser = await openChromium({
    profile: newProfile(t),
    publicKeyHash: found(/--ignore-certificate-errors-spki-list=(\S+)/, printed),
    thirdParties: 'blocked',
    args: [bindsSessions ? found(/(--enable-features=\S+)/, printed) : '--disable-features=DeviceBoundSessions']
  })
  t.teardown(async () => { await browser.close() })
  return browser
}

async function signIn (browser: BrowserContext, demo: Demo): Promise<Page> {
  const page = browser.pages()[0] ?? await browser.newPage()
  await page.goto(`${demo.address}/login`)
  await page.fill('input[name=username]', 'ada')
  await page.fill('input[name=password]', passwordOf(demo, 'ada'))
  await page.click('main button')
  await page.waitForSelector('text=Hello Ada Lovelace')
  return page
}

/** Loads "Your sessions" until it says this. */
async function untilSessionsSay (page: Page, demo: Demo, text: RegExp): Promise<string> {
  let said = ''
  for (let look = 0; look < LOOKS && !text.test(said); look++) {
    await setTimeout(MS_BETWEEN_LOOKS)
    await page.goto(`${demo.address}/sessions`)
    said = await page.innerText('main')
  }
  return said
}

async function namesIn (browser: BrowserContext): Promise<string[]> {
  return (await browser.cookies()).map(({ name }) => name).sort()
}

async function passwordPage (page: Page, { address }: Demo): Promise<number | undefined> {
  return (await page.goto(`${address}/account/password`))?.status()
}

t.test('Chromium: the demo shows since when its session is bound, and a copy does not get to the new password', async t => {
  const demo = await startMovable(t)
  const user = await open(t, demo)
  const page = await signIn(user, demo)
  t.match(await untilSessionsSay(page, demo, /Bound to this device\s+since /), /since .* UTC now; last proved .* UTC now/)
  for (let look = 0; look < LOOKS && (await namesIn(user)).includes('__Host-session.u'); look++) await setTimeout(MS_BETWEEN_LOOKS)
  t.strictSame(await namesIn(user), ['__Host-session', '__Host-session.d'])

  const thief = await open(t, demo)
  await thief.addCookies(await user.cookies())
  const theirs = thief.pages()[0] as Page
  t.equal((await theirs.goto(`${demo.address}/orders`))?.status(), 200, 'the copy is good until its proof ends')

  await demo.advance(3)
  t.equal(await passwordPage(page, demo), 200, 'the browser signs')
  await passwordPage(theirs, demo)
  t.ok(await theirs.waitForSelector('text=Please sign in'), 'a copy has no key')
  await demo.advance(4)
  // First comes the page that loads itself again, so that a browser with the key could sign.
  await theirs.goto(`${demo.address}/orders`)
  t.ok(await theirs.waitForSelector('text=Please sign in'))
  t.equal((await page.goto(`${demo.address}/orders`))?.status(), 200)
})

t.test('Chromium without the flag: the user of the demo stays signed in, and the page says that the session is not bound', async t => {
  const demo = await startMovable(t)
  const page = await signIn(await open(t, demo, false), demo)
  await demo.advance(7)
  t.match(await untilSessionsSay(page, demo, /Bound to this device/), /Your browser has made no key/)
  t.strictSame(await namesIn(page.context()), ['__Host-session', '__Host-session.t', '__Host-session.u'])
})
