/** A browser over real HTTP: one jar of cookies, and no redirect followed. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly #address: string

  constructor (address: string) {
    this.#address = address
  }

  async get (path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return await this.#request('GET', path, { headers })
  }

  async post (path: string, body?: object): Promise<Answer> {
    return await this.#request('POST', path, body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  }

  async #request (method: string, path: string, { body, headers = {} }: { body?: string, headers?: Record<string, string> }): Promise<Answer> {
    const cookie = Array.from(this.cookies, pair => pair.join('=')).join('; ')
    const init = { method, redirect: 'manual' as const, headers: cookie === '' ? headers : { cookie, ...headers } }
    const response = await fetch(this.#address + path, body === undefined ? init : { ...init, body })
    const lines = response.headers.getSetCookie()
    for (const line of lines) this.#keep(line)
    return { status: response.status, headers: response.headers, lines, text: await response.text() }
  }

  #keep (line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string]
    if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Those of Set-Cookie. */
  readonly lines: readonly string[]
  readonly text: string
}
