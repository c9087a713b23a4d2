import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'

interface Kept {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
}

export interface Answer {
  readonly status: number
  readonly body: any
  readonly lines: readonly string[]
}

/** A browser at several hosts over HTTP: its jar knows domain, path and prefixes (RFC 6265bis section 5.7). */
export class HttpBrowser {
  readonly #port: number
  #kept: readonly Kept[] = []

  constructor (port: number) {
    this.#port = port
  }

  get names (): string[] {
    return this.#kept.map(({ name, domain, path }) => `${name} ${domain} ${path}`)
  }

  async get (host: string, path: string): Promise<Answer> {
    const sent = this.#kept.filter(cookie => isSent(cookie, host, path)).map(({ name, value }) => `${name}=${value}`)
    // A proxy ends TLS.
    const headers = { host, 'x-forwarded-proto': 'https', ...(sent.length === 0 ? {} : { cookie: sent.join('; ') }) }
    const [response] = await once(request({ port: this.#port, path, headers }).end(), 'response') as [IncomingMessage]
    let body = ''
    for await (const chunk of response) body += String(chunk)
    const lines = response.headers['set-cookie'] ?? []
    for (const line of lines) this.#keep(line, host, path)
    return { status: response.statusCode as number, body: JSON.parse(body), lines }
  }

  #keep (line: string, host: string, requestPath: string): void {
    const [pair, ...rest] = line.split('; ') as [string, ...string[]]
    const attributes = new Map(rest.map(text => text.split('=') as [string, string | undefined]))
    const [, name, value] = /^([^=]+)=(.*)$/.exec(pair) as unknown as [string, string, string]
    const domain = attributes.get('Domain')?.toLowerCase()
    const path = attributes.get('Path') ?? requestPath.replace(/\/[^/]*$/, '')
    if (domain !== undefined && host !== domain && !host.endsWith(`.${domain}`)) return
    if (name.startsWith('__Host-') && (domain !== undefined || path !== '/' || !attributes.has('Secure'))) return
    if (name.startsWith('__Secure-') && !attributes.has('Secure')) return
    const cookie = { name, value, domain: domain ?? host, hostOnly: domain === undefined, path }
    this.#kept = this.#kept.filter(other => other.name !== name || other.domain !== cookie.domain || other.path !== path)
    if (attributes.get('Max-Age') !== '0') this.#kept = [...this.#kept, cookie]
  }
}

function isSent (cookie: Kept, host: string, path: string): boolean {
  const isHost = host === cookie.domain || (!cookie.hostOnly && host.endsWith(`.${cookie.domain}`))
  return isHost && (path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`))
}
