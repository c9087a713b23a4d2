import { firefox, type BrowserContext } from 'playwright-core'
import { BROWSER_PATIENCE_MS } from './chromium'
import { binaryOf } from './debian'
import { plainEnv } from './process'

export interface FirefoxSettings {
  /** The folder of its profile. */
  readonly profile: string
  /** What it is to find on this machine. */
  readonly hosts: readonly string[]
  readonly prefs?: Readonly<Record<string, string | number | boolean>>
}

/**
 * A headless Firefox, as its vendor built it, driven by WebDriver BiDi. It trusts every certificate, for it cannot be told to trust one.
 * Found, or installed where that can be done.
 */
export async function openFirefox ({ profile, hosts, prefs = {} }: FirefoxSettings): Promise<BrowserContext> {
  const browser = await firefox.launchPersistentContext(profile, {
    timeout: BROWSER_PATIENCE_MS,
    executablePath: binaryOf(['firefox-esr', 'firefox'], 'firefox-esr'),
    // Driven by the protocol that a stock Firefox speaks, not by that of a patched one.
    channel: 'moz-firefox',
    env: plainEnv() as Record<string, string>,
    ignoreHTTPSErrors: true,
    firefoxUserPrefs: { 'network.dns.localDomains': hosts.join(','), ...prefs }
  })
  browser.setDefaultTimeout(BROWSER_PATIENCE_MS)
  return browser
}
