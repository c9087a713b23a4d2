import type { FastifyInstance } from 'fastify'

/** The server of an app that listens, by its address. */
export async function listen (app: FastifyInstance): Promise<string> {
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

interface Kept {
  readonly name: string
  readonly value: string
  readonly path: string
  readonly expiresMs: number
}

/** What a form sends. */
export type Form = Readonly<Record<string, string>>

/** Somebody at a browser: real requests over plain HTTP, and a jar that minds Path, Max-Age, Expires, Domain and Secure. */
export class Visitor {
  readonly #origin: string
  #jar: Kept[] = []

  constructor (origin: string) {
    this.#origin = origin
  }

  /** The Cookie header for a path; undefined where there is nothing to send. */
  cookie (path = '/'): string | undefined {
    this.#jar = this.#jar.filter(({ expiresMs }) => expiresMs > Date.now())
    const sent = this.#jar.filter(cookie => isWithin(path, cookie.path)).sort((a, b) => b.path.length - a.path.length)
    return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join('; ')
  }

  /** One request; a redirect is not followed. */
  async send (url: string, { headers, ...init }: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const { pathname } = new URL(url, this.#origin)
    const cookie = this.cookie(pathname)
    const response = await fetch(this.#origin + url, { redirect: 'manual', ...init, headers: { ...(cookie === undefined ? {} : { cookie }), ...headers } })
    for (const line of response.headers.getSetCookie()) this.keep(line, pathname)
    return response
  }

  async post (url: string, form: Form = {}, headers: Record<string, string> = {}): Promise<Response> {
    return await this.send(url, { method: 'POST', body: new URLSearchParams(form), headers })
  }

  /** What a GET answers; a redirect is followed. */
  async json (url: string): Promise<any> {
    const response = await this.send(url)
    const text = await response.text()
    const location = response.headers.get('location')
    return location === null ? JSON.parse(text) : await this.json(location)
  }

  /** Posts, and follows the redirect that answers, as a browser does with a form. */
  async submit (url: string, form: Form = {}): Promise<any> {
    const response = await this.post(url, form)
    await response.text()
    const location = response.headers.get('location')
    if (location === null) throw new Error(`${url} answered ${response.status} and no redirect`)
    return await this.json(location)
  }

  /** RFC 6265 section 5.3, as far as a server on one host can tell. */
  keep (line: string, requestPath = '/'): void {
    const [pair, ...parts] = line.split(/; ?/) as [string, ...string[]]
    const attributes = new Map(parts.map(part => part.split('=', 2) as [string, string?]).map(([name, value]) => [name.toLowerCase(), value ?? '']))
    if (attributes.has('secure') || attributes.has('domain')) return
    const path = attributes.get('path') ?? defaultPath(requestPath)
    const name = pair.slice(0, pair.indexOf('='))
    this.#jar = this.#jar.filter(cookie => cookie.name !== name || cookie.path !== path)
    this.#jar.push({ name, value: pair.slice(name.length + 1), path, expiresMs: expiryOf(attributes) })
  }

  /** The same cookies at another server, behind the same load balancer. */
  at (origin: string): Visitor {
    const there = new Visitor(origin)
    there.#jar = [...this.#jar]
    return there
  }

  /** Another browser with the cookies that this one has now: whoever stole them. */
  thief (): Visitor {
    return this.at(this.#origin)
  }
}

/** RFC 6265 section 5.1.4. */
function isWithin (path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
}

function defaultPath (requestPath: string): string {
  return requestPath.slice(0, requestPath.lastIndexOf('/')) || '/'
}

/** Max-Age goes before Expires. */
function expiryOf (attributes: ReadonlyMap<string, string>): number {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined) return Number(maxAge) > 0 ? Date.now() + Number(maxAge) * 1000 : 0
  const expires = attributes.get('expires')
  return expires === undefined ? Infinity : Date.parse(expires)
}
