import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'

interface Kept {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** A browser: real requests, and a jar that tells cookies apart by name and path. It takes Secure cookies over plain HTTP, as browsers do for localhost. */
export class Browser {
  #jar: Kept[] = []
  #origin = ''

  static async at (app: FastifyInstance): Promise<Browser> {
    return await new Browser().goTo(app)
  }

  /** From here on it is this app that answers. */
  async goTo (app: FastifyInstance): Promise<this> {
    if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
    this.#origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    return this
  }

  /** What the jar holds, such as `session /auth`. */
  get cookies (): string[] {
    return this.#jar.map(({ name, path }) => `${name} ${path}`).sort()
  }

  copy (): Browser {
    const copy = new Browser()
    copy.#jar = [...this.#jar]
    copy.#origin = this.#origin
    return copy
  }

  async get (path: string, init: RequestInit = {}): Promise<any> {
    return await (await this.send(path, init)).json()
  }

  async post (path: string, form: Record<string, string> = {}): Promise<any> {
    return await this.get(path, { method: 'POST', body: new URLSearchParams(form) })
  }

  async send (path: string, init: RequestInit = {}): Promise<Response> {
    const sent = this.#jar.filter(kept => isWithin(path, kept.path)).sort((a, b) => b.path.length - a.path.length)
    const cookie = sent.map(({ name, value }) => `${name}=${value}`).join('; ')
    const response = await fetch(this.#origin + path, { redirect: 'manual', ...init, headers: { ...init.headers, ...(cookie !== '' && { cookie }) } })
    for (const line of response.headers.getSetCookie()) this.keep(line, path)
    return response
  }

  /** RFC 6265 section 5.3, as far as these tests need it. */
  keep (line: string, requestPath = '/'): void {
    const [pair, ...attributes] = line.split('; ') as [string, ...string[]]
    const [name = ''] = pair.split('=', 1)
    const path = attributes.find(attribute => attribute.startsWith('Path='))?.slice(5) ?? (requestPath.slice(0, requestPath.lastIndexOf('/')) || '/')
    this.#jar = this.#jar.filter(kept => kept.name !== name || kept.path !== path)
    if (!attributes.includes('Max-Age=0')) this.#jar.push({ name, value: pair.slice(name.length + 1), path })
  }
}

function isWithin (path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
}
