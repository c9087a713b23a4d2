import type { Test } from 'tap'

/** What came back, as far as it must be the same whichever package answers. */
export interface Answer {
  readonly status: number
  readonly body: any
  readonly location: string | null
  /** One entry a Set-Cookie line: its name, and its attributes in order of the alphabet. */
  readonly cookies: readonly SetCookie[]
  readonly setsCookie: boolean
  readonly headers: Headers
}

export interface SetCookie {
  readonly name: string
  readonly value: string
  readonly attributes: string
}

export interface Sent {
  readonly method?: string
  readonly form?: Record<string, string>
  readonly json?: unknown
  readonly headers?: Record<string, string>
}

/** A browser, small: it asks over real HTTP, follows no redirect, and keeps cookies by name. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly address: string

  constructor (address: string) {
    this.address = address
  }

  static async of (t: Test, app: any): Promise<Visitor> {
    return new Visitor(await addressOf(app))
  }

  /** The same browser, gone to another server; or a second one with what the first holds now. */
  at (address = this.address): Visitor {
    const moved = new Visitor(address)
    for (const [name, value] of this.cookies) moved.cookies.set(name, value)
    return moved
  }

  get header (): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
  }

  async get (path: string, sent: Sent = {}): Promise<Answer> {
    return await this.ask(path, sent)
  }

  async post (path: string, sent: Sent = {}): Promise<Answer> {
    return await this.ask(path, { method: 'POST', ...sent })
  }

  async ask (path: string, { method = 'GET', form, json, headers = {} }: Sent): Promise<Answer> {
    const body = form !== undefined ? new URLSearchParams(form) : json !== undefined ? JSON.stringify(json) : undefined
    const response = await fetch(this.address + path, {
      method,
      redirect: 'manual',
      headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...(this.header !== '' && { cookie: this.header }), ...headers },
      ...(body !== undefined && { body })
    })
    const cookies = response.headers.getSetCookie().map(readLine)
    for (const cookie of cookies) this.#keep(cookie)
    return { status: response.status, body: bodyOf(await response.text()), location: response.headers.get('location'), cookies, setsCookie: cookies.length > 0, headers: response.headers }
  }

  #keep ({ name, value, attributes }: SetCookie): void {
    if (/Max-Age=0\b/.test(attributes)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

export async function addressOf (app: any): Promise<string> {
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

function readLine (line: string): SetCookie {
  const [pair = '', ...attributes] = line.split('; ')
  const [name = '', ...value] = pair.split('=')
  return { name, value: value.join('='), attributes: attributes.sort().join('; ') }
}

function bodyOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * The cookies of an answer, each as one line without its value: `sid; HttpOnly; Path=/`. The stamp that this package clears
 * beside its cookie is left out; `differences.test.ts` shows it.
 */
export function linesOf ({ cookies }: Answer): string[] {
  return cookies.filter(({ name }) => !name.endsWith('.t')).map(({ name, attributes }) => `${name}; ${attributes}`)
}
