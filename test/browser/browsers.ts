import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'
import t, { type Test } from 'tap'
import { certificateFor } from '../helpers/certificate'
import { openChromium } from '../helpers/chromium'
import { openFirefox } from '../helpers/firefox'

/** All of them are this machine. `evil` and `www` are the same site as `shop.test`; `bank.test` is another one. */
export const HOSTS = ['shop.test', 'www.shop.test', 'evil.shop.test', 'bank.test'] as const
export type Host = typeof HOSTS[number]

export const CERTIFICATE = certificateFor(HOSTS)

export type EngineName = 'Chromium' | 'Firefox'

export interface Engine {
  readonly name: EngineName
  /** Starts a browser with the profile in this folder: what it kept, it has again. */
  open (profile: string, how?: Starting): Promise<BrowserContext>
}

export interface Starting {
  /** The browser opens with the tabs that it was closed with. */
  readonly restoresTabs?: boolean
  /** The browser lets sites that another site embeds have their usual cookies there. If not, Chromium refuses them, and Firefox keeps them apart. */
  readonly admitsThirdParties?: boolean
  /**
   * What Chromium knows of device bound sessions. Its keys are in software, since this machine may have no other place
   * for them.
   * - `unknown`: nothing, as browsers that were never told of them.
   * - `known`: all, and it signs as often as it likes.
   * - `limited`: all, and it signs as seldom as a browser that a user has.
   */
  readonly deviceBound?: 'unknown' | 'known' | 'limited'
}

const SOFTWARE_KEYS = 'EnableBoundSessionCredentialsSoftwareKeysForManualTesting'
const FEATURES: Readonly<Record<NonNullable<Starting['deviceBound']>, string>> = {
  unknown: '--disable-features=DeviceBoundSessions',
  known: `--enable-features=DeviceBoundSessions:RefreshQuota/false,${SOFTWARE_KEYS}`,
  limited: `--enable-features=DeviceBoundSessions,${SOFTWARE_KEYS}`
}

const CHROMIUM: Engine = {
  name: 'Chromium',
  open: async (profile, { restoresTabs = false, admitsThirdParties = false, deviceBound } = {}) => await openChromium({
    profile,
    publicKeyHash: CERTIFICATE.publicKeyHash,
    thirdParties: admitsThirdParties ? 'admitted' : 'blocked',
    args: [FEATURES[deviceBound ?? 'unknown'], ...(restoresTabs ? ['--restore-last-session'] : [])]
  })
}

/** A Chromium that knows device bound sessions. */
export const BINDING_CHROMIUM: Engine = {
  name: 'Chromium',
  open: async (profile, how) => await CHROMIUM.open(profile, { deviceBound: 'known', ...how })
}

const FIREFOX: Engine = {
  name: 'Firefox',
  open: async (profile, { restoresTabs = false, admitsThirdParties = false } = {}) => await openFirefox({
    profile,
    hosts: HOSTS,
    prefs: { ...(restoresTabs ? { 'browser.startup.page': 3 } : {}), 'network.cookie.cookieBehavior': admitsThirdParties ? 0 : 5 }
  })
}

const ENGINES: readonly Engine[] = [CHROMIUM, FIREFOX]

/** One test for each browser. It starts with no cookies in a browser that the tests share. */
export function inBrowsers (sentence: string, test: (t: Test, browser: BrowserContext, engine: Engine) => Promise<void>, names?: readonly EngineName[]): void {
  for (const engine of ENGINES) {
    if (names !== undefined && !names.includes(engine.name)) continue
    t.test(`${engine.name}: ${sentence}`, async t => { await test(t, await freshBrowser(t, engine), engine) })
  }
}

/** The browser that all tests of a process share, with no cookies. */
export async function freshBrowser (t: Test, engine: Engine): Promise<BrowserContext> {
  const browser = await sharedBrowser(engine)
  await browser.clearCookies()
  t.teardown(async () => { await closePages(browser) })
  return browser
}

/** A folder for a profile, gone when the test ends. */
export function newProfile (t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'browser-'))
  // A browser that was closed may still be writing the last of its files.
  t.teardown(() => { rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) })
  return folder
}

const shared = new Map<Engine, Promise<BrowserContext>>()

async function sharedBrowser (engine: Engine): Promise<BrowserContext> {
  const opened = shared.get(engine)
  if (opened !== undefined) return await opened
  const process = processTest()
  const opening = engine.open(newProfile(process))
  shared.set(engine, opening)
  process.teardown(async () => { await (await opening).close() })
  return await opening
}

/** The test that ends last: a process runs several files (test/run.js), each as a subtest. */
function processTest (): Pick<Test, 'teardown'> {
  let test: any = t
  while (test.parent !== undefined) test = test.parent
  return test
}

/** All but one: without any, the browser would end. */
async function closePages (browser: BrowserContext): Promise<void> {
  const [first, ...others] = browser.pages()
  await first?.goto('about:blank')
  for (const page of others) await page.close()
}
