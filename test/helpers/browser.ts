import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'

/** A browser's cookie jar, small: it keeps what Set-Cookie says, by name, and drops what has Max-Age=0. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #app: FastifyInstance

  constructor (app: FastifyInstance) {
    this.#app = app
  }

  get header (): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Requests with the jar's cookies, and keeps what comes back. */
  async get (url: string, options: InjectOptions = {}): Promise<LightMyRequestResponse> {
    const cookie = this.header
    const response = await this.#app.inject({ url, ...options, headers: { ...(cookie === '' ? {} : { cookie }), ...options.headers } })
    for (const line of setCookies(response)) this.keep(line)
    return response
  }

  async json (url: string, options: InjectOptions = {}): Promise<any> {
    return (await this.get(url, options)).json()
  }

  keep (line: string): void {
    const { name, value } = parseLine(line)
    if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }

  /** Another one with these cookies, at this app or another. */
  copy (app = this.#app): Browser {
    const copy = new Browser(app)
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return copy
  }
}

export function setCookies (response: LightMyRequestResponse): string[] {
  const header = response.headers['set-cookie']
  return header === undefined ? [] : Array.isArray(header) ? header : [String(header)]
}

export function parseLine (line: string): { name: string, value: string, attributes: string } {
  const [, name, value, attributes] = /^([^=]+)=([^;]*)(.*)$/.exec(line) as unknown as [string, string, string, string]
  return { name, value, attributes }
}
