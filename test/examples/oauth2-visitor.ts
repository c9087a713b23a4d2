/** What a browser has to know of the servers. */
interface Web {
  readonly site: string
  readonly publicUrl: string
  person (id: string): { readonly id: string, readonly password: string }
}

export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

interface Cookie {
  readonly value: string
  readonly path: string
  readonly line: string
}

const MOST_REDIRECTS = 10

/** A browser: a jar of cookies for each host, redirects followed over all of them, forms filled in. */
export class Visitor {
  /** By host without its port, as browsers keep them. */
  jars = new Map<string, Map<string, Cookie>>()
  /** All that the site itself has answered, heads and bodies. */
  readonly seen: string[] = []
  /** Every URL that was asked for. */
  readonly trail: string[] = []
  /** Where `go` stops before it asks. */
  stopAt: string | null = null
  readonly #web: Web

  constructor (web: Web) {
    this.#web = web
  }

  /** Another browser with copies of the same cookies. */
  copy (): Visitor {
    const copy = new Visitor(this.#web)
    copy.jars = new Map(Array.from(this.jars, ([host, jar]) => [host, new Map(jar)]))
    return copy
  }

  /** The site's cookies. */
  get cookies (): Map<string, Cookie> {
    return this.#jar(new URL(this.#web.publicUrl))
  }

  get session (): string {
    return this.valueOf('session')
  }

  /** One request of the site, or of a whole URL, with no redirect followed. */
  async ask (path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Page> {
    const url = new URL(path, this.#web.publicUrl)
    this.trail.push(url.href)
    const isSite = url.origin === this.#web.publicUrl
    const target = isSite ? url.href.replace(this.#web.publicUrl, this.#web.site) : url
    const response = await fetch(target, { redirect: 'manual', ...init, headers: { ...init.headers, cookie: this.#cookiesFor(url) } })
    const text = await response.text()
    for (const line of response.headers.getSetCookie()) this.#keep(url, line)
    if (isSite) this.seen.push(JSON.stringify([...response.headers]), text)
    return { url: url.href, status: response.status, headers: response.headers, text }
  }

  /** The same, and on over redirects. */
  async go (path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Page> {
    let page = await this.ask(path, init)
    for (let hops = 0; page.status >= 300 && page.status < 400; hops++) {
      if (hops === MOST_REDIRECTS) throw new Error(`too many redirects: ${this.trail.slice(-MOST_REDIRECTS).join(' ')}`)
      const { href, pathname } = new URL(page.headers.get('location') as string, page.url)
      if (pathname === this.stopAt) return { ...page, url: href }
      page = await this.ask(href)
    }
    return page
  }

  /** Sends the form of the page whose action ends so, its hidden fields included, and follows redirects. */
  async submit (page: Page, action: string, fields: Record<string, string> = {}): Promise<Page> {
    const { url, body } = formOn(page, action, fields)
    return this.go(url, { method: 'POST', body, headers: { 'sec-fetch-site': 'same-origin' } })
  }

  /** From the site to the provider, through its pages, and back. */
  async signIn (id: string, returnTo = '/account'): Promise<Page> {
    const { password } = this.#web.person(id)
    let page = await this.go(`/login?return_to=${encodeURIComponent(returnTo)}`)
    if (page.text.includes('name="password"')) page = await this.submit(page, '/login', { username: id, password })
    return this.submit(page, '/consent')
  }

  /** The same, but for the last step: where the provider sends the browser back to. */
  async callbackFor (id: string): Promise<string> {
    this.stopAt = '/login/callback'
    const { url } = await this.signIn(id)
    this.stopAt = null
    return url
  }

  /** Plants a cookie of the site, as a neighbouring subdomain might. */
  plant (name: string, value: string): void {
    this.cookies.set(name, { value, path: '/', line: '' })
  }

  valueOf (name: string): string {
    return this.cookies.get(name)?.value ?? ''
  }

  #cookiesFor (url: URL): string {
    return Array.from(this.#jar(url)).filter(([, { path }]) => url.pathname.startsWith(path)).map(([name, { value }]) => `${name}=${value}`).join('; ')
  }

  #keep (url: URL, line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string]
    const isCleared = /; max-age=0(;|$)/i.test(line) || /; expires=Thu, 01 Jan 1970/i.test(line)
    if (isCleared) this.#jar(url).delete(name)
    else this.#jar(url).set(name, { value, path: /; path=([^;]+)/i.exec(line)?.[1] ?? '/', line })
  }

  #jar ({ hostname }: URL): Map<string, Cookie> {
    const jar = this.jars.get(hostname) ?? new Map<string, Cookie>()
    this.jars.set(hostname, jar)
    return jar
  }
}

export function formOn (page: Page, action: string, fields: Record<string, string>): { url: string, body: URLSearchParams } {
  for (const [, attributes, inside] of page.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g) as Iterable<string[]>) {
    const target = new URL(/action="([^"]*)"/.exec(attributes as string)?.[1] ?? '', page.url)
    if (!target.pathname.endsWith(action)) continue
    const hidden = Array.from((inside as string).matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g), match => [match[1], match[2]] as [string, string])
    return { url: target.href, body: new URLSearchParams([...hidden, ...Object.entries(fields)]) }
  }
  throw new Error(`no form to ${action} at ${page.url}, status ${page.status}: ${page.text}`)
}
