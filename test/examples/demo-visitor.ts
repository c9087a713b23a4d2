import { join } from 'node:path'
import type { Test } from 'tap'
import { found, started, type Started } from '../helpers/started'

/** The demo site, started as a user starts it, and somebody who visits it over HTTP. */

export const DEMO = join(__dirname, '../../examples/demo')
export const CSRF = /name="csrf" value="([^"]+)"/
export const SESSION_ID = /<code>([0-9a-f]{32})<\/code>/

export interface Demo extends Started {
  readonly address: string
  readonly upstream: string
}

// Tap would count the built files, which the demo loads, beside the sources they were built from.
export const UNCOUNTED = { _TAPJS_PROCESSINFO_COVERAGE_: '0' }

interface HowToStart {
  readonly port?: string
  readonly preload?: readonly string[]
  readonly overTls?: boolean
}

/** Starts it, and waits until it has printed what there is to know. */
export async function startDemo (t: Test, keyFolder: string, { port = '0', preload = [], overTls = false }: HowToStart = {}): Promise<Demo> {
  const args = [...preload.flatMap(file => ['--require', file]), join(DEMO, 'start.js'), ...(overTls ? ['--tls'] : [])]
  const demo = await started(t, args, { PORT: port, DEMO_KEY_DIR: keyFolder })
  return { ...demo, address: found(/is at +(\S+)/, demo.printed), upstream: found(/upstream at +(\S+)\/orders/, demo.printed) }
}

/** Somebody who has signed in as Ada. */
export async function ada (demo: Demo): Promise<Visitor> {
  const visitor = new Visitor(demo)
  await visitor.signIn('ada', passwordOf(demo, 'ada'))
  return visitor
}

export function passwordOf (demo: Demo, user: string): string {
  return found(new RegExp(`^ +${user} +(\\S+)$`, 'm'), demo.printed)
}

export interface Page {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** A browser with a jar of cookies, which follows no redirect by itself. */
export class Visitor {
  address: string
  cookies = new Map<string, string>()
  readonly #fetch: typeof fetch

  /** @param fetched what makes the requests */
  constructor ({ address }: { address: string }, fetched: typeof fetch = fetch) {
    this.address = address
    this.#fetch = fetched
  }

  async get (path: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.#request(path, { headers })
  }

  async post (path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    return this.#request(path, { method: 'POST', body: new URLSearchParams(fields), headers })
  }

  /** Loads the page, and sends a form of it. */
  async submit (page: string, path: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Page> {
    return this.post(path, { csrf: await this.csrfOn(page), ...fields }, headers)
  }

  async csrfOn (page: string): Promise<string> {
    return found(CSRF, (await this.get(page)).text)
  }

  async signIn (username: string, password: string): Promise<Page> {
    return this.submit('/login', '/login', { username, password })
  }

  /** Another browser with a copy of the cookies. */
  copy (): Visitor {
    const copy = new Visitor(this, this.#fetch)
    copy.cookies = new Map(this.cookies)
    return copy
  }

  async #request (path: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Page> {
    const cookie = Array.from(this.cookies, pair => pair.join('=')).join('; ')
    const response = await this.#fetch(this.address + path, { redirect: 'manual', ...init, headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  #keep (line: string): void {
    const name = found(/^([^=]+)=/, line)
    if (line.includes('; Max-Age=0')) this.cookies.delete(name)
    else this.cookies.set(name, found(/=([^;]*)/, line))
  }
}
