import { Agent, request } from 'node:http'
import { parseLine } from '../helpers/browser'

export interface Answer {
  readonly status: number
  readonly text: string
  readonly ms: number
}

/** No server may take so long, whatever happens to its ring. */
const PATIENCE_MS = 30_000

export const COOKIE = 'session'
export const STAMP = 'session.t'

/** A browser: keeps connections and cookies. One request at a time, as parallel writes of one session race by design. */
export class Client {
  readonly cookies = new Map<string, string>()
  readonly #agent: Agent

  constructor (keepAlive = true) {
    this.#agent = new Agent({ keepAlive })
  }

  /** Keeps the cookies once the answer is here whole. Rejects where there is none. */
  async send (port: number, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    const startedAtMs = Date.now()
    const { status, text, lines } = await this.#exchange(port, method, path, body === undefined ? '' : JSON.stringify(body))
    for (const line of lines) this.#keep(line)
    return { status, text, ms: Date.now() - startedAtMs }
  }

  close (): void {
    this.#agent.destroy()
  }

  /** The id of the key that sealed a cookie: bytes 2 to 5 of it. */
  keyOf (cookie: string): string {
    return Buffer.from(this.cookies.get(cookie) ?? '', 'base64url').toString('hex', 2, 6) || 'none'
  }

  #keep (line: string): void {
    const { name, value } = parseLine(line)
    if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }

  async #exchange (port: number, method: string, path: string, body: string): Promise<{ status: number, text: string, lines: string[] }> {
    const cookie = Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie === '' ? {} : { cookie }), ...(body === '' ? {} : { 'content-type': 'application/json', 'content-length': body.length }) }
    return await new Promise((resolve, reject) => {
      const sent = request({ agent: this.#agent, host: '127.0.0.1', port, method, path, headers, timeout: PATIENCE_MS }, response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', chunk => { text += chunk })
        response.on('error', reject)
        response.on('end', () => { resolve({ status: response.statusCode ?? 0, text, lines: response.headers['set-cookie'] ?? [] }) })
      })
      sent.on('timeout', () => { sent.destroy(new Error(`no answer for ${PATIENCE_MS / 1000} seconds`)) })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}
