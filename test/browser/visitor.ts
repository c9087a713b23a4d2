import { request as overHttp, type IncomingHttpHeaders } from 'node:http'
import { request as overHttps } from 'node:https'
import { parseLine } from '../helpers/browser'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Those of Set-Cookie, in order. */
  readonly lines: string[]
  readonly body: Buffer
  /** The bytes of the status line, the headers and the empty line. */
  readonly headBytes: number
}

interface Options {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Record<string, string>
  /** The certificate that is trusted over TLS, where the host is `shop.test`. */
  readonly ca?: string
}

/** One request on a connection of its own. */
export async function ask (url: string, { method = 'GET', headers = {}, ca }: Options = {}): Promise<Answer> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const common = { method, headers, agent: false } as const
    const request = ca === undefined
      ? overHttp(url, common, resolve)
      : overHttps(url, { ...common, ca, servername: 'shop.test' }, resolve)
    request.on('error', reject).end()
  })
  const body = Buffer.concat(await response.toArray())
  return {
    status: response.statusCode as number,
    headers: response.headers,
    lines: response.headers['set-cookie'] ?? [],
    body,
    headBytes: response.rawHeaders.reduce((bytes, part) => bytes + part.length + 2, `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n\r\n`.length)
  }
}

/** A browser's cookie jar before a real address. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly #address: string
  readonly #ca: string | undefined

  constructor (address: string, ca?: string) {
    this.#address = address
    this.#ca = ca
  }

  get header (): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
  }

  async get (path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const cookie = this.header
    const ca = this.#ca === undefined ? {} : { ca: this.#ca }
    const answer = await ask(this.#address + path, { headers: { ...(cookie === '' ? {} : { cookie }), ...headers }, ...ca })
    for (const line of answer.lines) {
      const { name, value } = parseLine(line)
      if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }

  async json (path: string): Promise<any> {
    return JSON.parse((await this.get(path)).body.toString())
  }

  /** The same jar at another address: a reload on the way past the proxy, say. */
  at (address: string): Visitor {
    const other = new Visitor(address)
    for (const [name, value] of this.cookies) other.cookies.set(name, value)
    return other
  }
}
