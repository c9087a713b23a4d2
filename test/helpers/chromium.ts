import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'
import { binaryOf } from './debian'
import { plainEnv } from './process'

/** A busy machine may take long to start a browser, and to load a page. */
export const BROWSER_PATIENCE_MS = 120_000

export interface ChromiumSettings {
  /** The folder of its profile. */
  readonly profile: string
  /** The key that it trusts, whoever signed for it. */
  readonly publicKeyHash: string
  /** Cookies of sites that another site embeds. Builds differ in what they do by default. */
  readonly thirdParties: 'blocked' | 'admitted'
  readonly args?: readonly string[]
}

/** A headless Chromium, which finds all hosts under `.test` on this machine. Found, or installed where that can be done. */
export async function openChromium ({ profile, publicKeyHash, thirdParties, args = [] }: ChromiumSettings): Promise<BrowserContext> {
  prefer(profile, { profile: { cookie_controls_mode: thirdParties === 'blocked' ? 1 : 0 } })
  const browser = await chromium.launchPersistentContext(profile, {
    timeout: BROWSER_PATIENCE_MS,
    executablePath: binaryOf(['chromium', 'chromium-browser', 'google-chrome'], 'chromium'),
    env: plainEnv() as Record<string, string>,
    // The usual ones switch off what is tested here, such as the cache of the back button and the partitions of storage.
    ignoreDefaultArgs: true,
    args: [
      '--headless', '--remote-debugging-pipe', `--user-data-dir=${profile}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--no-first-run', '--no-default-browser-check', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--disable-dev-shm-usage', '--password-store=basic', `--ignore-certificate-errors-spki-list=${publicKeyHash}`, '--host-resolver-rules=MAP *.test 127.0.0.1', ...args, 'about:blank'
    ]
  })
  browser.setDefaultTimeout(BROWSER_PATIENCE_MS)
  return browser
}

/** Settings for a profile that has none yet. */
function prefer (profile: string, preferences: object): void {
  const folder = join(profile, 'Default')
  const file = join(folder, 'Preferences')
  if (existsSync(file)) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, JSON.stringify(preferences))
}
