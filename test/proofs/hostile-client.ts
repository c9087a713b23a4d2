import type { Act, RawAct, StreamsAct } from './hostile-acts'
import type { ServerSettings, Turn } from './hostile-settings'
import type { HostileVisitor } from './hostile-visitor'
import { exchangeStreams } from './http2-exchange'
import { exchange, type Where } from './raw-exchange'

/** Far more than any handler, timeout and store takes, one after the other. */
const PATIENCE_MS = 15_000
const TOO_LATE = `there was no whole answer in ${PATIENCE_MS / 1000} seconds`
/** A server with a timeout of a few milliseconds may miss it where the machine is busy. */
const MOST_TRIES = 6
/** So slow a store still answers in time. */
const FAST_MS = 15
const MOST_SHOWN = 2000

export interface Outcome {
  /** How many answers there were. */
  readonly answers: number
  /** What is wrong with them; null where nothing is. */
  readonly trouble: string | null
}

interface Answer {
  readonly status: number
  readonly setCookies: readonly string[]
  /** All that came, so that nothing of others is overlooked. */
  readonly text: string
}

/** Plays acts against one server, and looks at what comes back. */
export class HostileClient {
  readonly #where: Where
  readonly #settings: ServerSettings

  constructor (settings: ServerSettings, port: number) {
    this.#settings = settings
    this.#where = { port, isTls: settings.tls !== null }
  }

  async play (act: Act, visitor: HostileVisitor): Promise<Outcome> {
    return act.kind === 'raw' ? await this.#playRaw(act, visitor) : await this.#playStreams(act, visitor)
  }

  /** Null for a server that answers, and whose sessions work where its store does; else what is wrong. */
  async checkHealth (visitor: HostileVisitor): Promise<string | null> {
    const health = await this.#get('/health', null)
    if (health.status !== 200) return `the health check is answered with ${show(health)}`
    if (!answersInTime(this.#settings)) return null
    const steps: ReadonlyArray<readonly [path: string, user: string | null | undefined]> = [
      [`/login?who=${visitor.mark}`, undefined], ['/read', visitor.mark], ['/logout', undefined], ['/read', null]
    ]
    for (const [path, user] of steps) {
      const answer = await this.#get(path, visitor)
      const isGood = answer.status === 200 && (user === undefined || answer.text.endsWith(JSON.stringify({ user })))
      if (!isGood) return `${path} is answered with ${show(answer)}; the cookies are ${visitor.header ?? 'none'}`
    }
    return null
  }

  async #playRaw ({ parts, methods }: RawAct, visitor: HostileVisitor): Promise<Outcome> {
    const { answers, rest, bytes, isLate } = await exchange(this.#where, parts, methods, PATIENCE_MS)
    const lines = answers.map(({ headers }) => setCookiesIn(headers))
    const troubles = lines.map(setCookies => this.#take({ status: 0, setCookies, text: '' }, visitor))
    troubles.push(this.#take({ status: 0, setCookies: [], text: bytes }, visitor))
    if (isLate) troubles.push(`${TOO_LATE}, but this: ${cut(bytes)}`)
    if (methods !== null && (answers.length > methods.length || rest !== '')) {
      troubles.push(`there were ${answers.length} answers to ${methods.length} requests: ${cut(bytes)}`)
    }
    return { answers: answers.length, trouble: troubles.find(trouble => trouble !== null) ?? null }
  }

  async #playStreams ({ requests, goneAfterMs }: StreamsAct, visitor: HostileVisitor): Promise<Outcome> {
    const answers = await exchangeStreams(this.#where, requests, goneAfterMs, PATIENCE_MS)
    const troubles = answers.map(answer => {
      const isLate = answer.isLate && goneAfterMs === null
      return isLate ? `${TOO_LATE}, but this: ${cut(answer.text)}` : this.#take(answer, visitor)
    })
    return {
      answers: answers.filter(({ status }) => status !== 0).length,
      trouble: troubles.find(trouble => trouble !== null) ?? null
    }
  }

  /** Keeps the cookies of an answer; what is wrong with it, or null. */
  #take ({ setCookies, text }: Answer, visitor: HostileVisitor): string | null {
    for (const line of setCookies) visitor.keep(line)
    const others = visitor.marksOfOthers(text)
    if (others.length > 0) return `the answer to ${visitor.mark} has something of ${others.join()}: ${cut(text)}`
    const names = this.#settings.sessions.flatMap(({ cookieName }) => [`${cookieName}=`, `${cookieName}.`])
    const scopes = setCookies.filter(line => names.some(name => line.startsWith(name))).map(scopeOf)
    const twice = scopes.find((scope, index) => scopes.indexOf(scope) !== index)
    return twice === undefined ? null : `two Set-Cookie lines are of ${twice}: ${JSON.stringify(setCookies)}`
  }

  /** One plain GET, tried again where the server's own timeouts may have ended it. */
  async #get (path: string, visitor: HostileVisitor | null): Promise<Answer> {
    let answer = await this.#getOnce(path, visitor)
    for (let tries = 1; tries < MOST_TRIES && answer.status !== 200; tries++) {
      answer = await this.#getOnce(path, visitor)
    }
    if (answer.status === 200) for (const line of answer.setCookies) visitor?.keep(line)
    return answer
  }

  async #getOnce (path: string, visitor: HostileVisitor | null): Promise<Answer> {
    const cookie = visitor?.header ?? null
    const headers = cookie === null ? [] : [['cookie', cookie] as const]
    if (this.#settings.http2) {
      const request = { method: 'GET', path, headers, body: '', ends: true, resetAfterMs: null }
      const [answer] = await exchangeStreams(this.#where, [request], null, PATIENCE_MS)
      return answer as Answer
    }
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const parts = [{ send: `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n` }]
    const { answers: [answer] } = await exchange(this.#where, parts, ['GET'], PATIENCE_MS)
    if (answer === undefined) return { status: 0, setCookies: [], text: '' }
    return { status: answer.status, setCookies: setCookiesIn(answer.headers), text: answer.body }
  }
}

/** Its stores answer, and in time. */
function answersInTime ({ sessions }: ServerSettings): boolean {
  const isFast = ({ how, ms = 0 }: Turn): boolean => how === 'answer' && ms <= FAST_MS
  return sessions.every(({ revocation }) => revocation === null || revocation.store.turns.every(isFast))
}

function setCookiesIn (headers: ReadonlyArray<readonly [name: string, value: string]>): string[] {
  return headers.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)
}

/** By these a browser tells cookies apart: RFC 6265bis section 5.7. */
function scopeOf (line: string): string {
  const [pair = '', ...attributes] = line.split('; ')
  const scope = attributes.filter(attribute => /^(?:Path|Domain)=/.test(attribute)).sort()
  return [pair.slice(0, pair.indexOf('=')), ...scope].join('; ')
}

function show ({ status, text }: Answer): string {
  return status === 0 ? 'nothing' : `${status} ${cut(text)}`
}

function cut (text: string): string {
  return JSON.stringify(text.slice(0, MOST_SHOWN))
}
