import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, COOKIE, STAMP, type Answer } from './client'
import type { Dice } from './dice'
import type { Report } from './report'
import type { Ring } from './ring'
import type { Server } from './server'

/** Sessions end by their absolute limit, which is a little more than this. */
const LOGGED_IN_MS = 30_000
const WITHOUT_A_SERVER_MS = 50
/** How often a user turns to a server that is just being shut down. */
const TO_ENDING_SERVERS = 0.1
/** So long after a server's restart an error of a connection may be due to it. */
const RESTART_MS = 2000

interface State {
  readonly user: string | null
  readonly token: string | null
  readonly counter: number | null
}

interface Asked {
  readonly path: string
  readonly key: string
  readonly stampKey: string
  readonly cookies: ReadonlyMap<string, string>
}

export interface Surroundings {
  readonly servers: readonly Server[]
  readonly ring: Ring
  readonly report: Report
  readonly dice: Dice
}

const NOBODY: State = { user: null, token: null, counter: null }

export const COUNTED = ['requests', 'logins', 'writes', 'connection errors while a server restarts', 'sessions lost', 'wrong answers (5xx and other)', 'slowest answer, ms']

/** Somebody who logs in, reads, writes and logs out without a pause, and knows what the session must hold. */
export class User {
  readonly #name: string
  readonly #onlyReads: boolean
  readonly #around: Surroundings
  readonly #client = new Client()
  /** What the session must hold, by the last answer. */
  #expected: State = NOBODY
  #loggedInAtMs = 0

  /** @param onlyReads the session cookie stays as it was sealed, and stamps alone keep the session alive */
  constructor (name: string, onlyReads: boolean, around: Surroundings) {
    this.#name = name
    this.#onlyReads = onlyReads
    this.#around = around
  }

  async goOnUntil (signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#step()
    this.#client.close()
  }

  async #step (): Promise<void> {
    const { dice } = this.#around
    const server = this.#chooseServer()
    if (server === undefined) await pause(WITHOUT_A_SERVER_MS)
    else if (this.#expected.user === null) await this.#logIn(server)
    else if (Date.now() - this.#loggedInAtMs > LOGGED_IN_MS) await this.#ask(server, 'POST', '/logout', NOBODY)
    else if (this.#onlyReads || dice.chance(0.6)) await this.#ask(server, 'GET', '/read', this.#expected)
    else await this.#write(server)
  }

  async #logIn (server: Server): Promise<void> {
    const next = { user: this.#name, token: randomBytes(30).toString('base64url'), counter: 0 }
    const answer = await this.#send(server, 'POST', '/login', next)
    if (answer === null) return
    this.#expected = next
    this.#loggedInAtMs = Date.now()
    this.#around.report.add('logins')
  }

  async #write (server: Server): Promise<void> {
    const next = { ...this.#expected, counter: (this.#expected.counter ?? 0) + 1 }
    if (await this.#ask(server, 'POST', '/write', next)) this.#around.report.add('writes')
  }

  /** The answer says what was in the session before the request; `next` is what is in it after. */
  async #ask (server: Server, method: 'GET' | 'POST', path: string, next: State): Promise<boolean> {
    const key = this.#client.keyOf(COOKIE)
    const stampKey = this.#client.keyOf(STAMP)
    const cookies = new Map(this.#client.cookies)
    const answer = await this.#send(server, method, path, method === 'GET' ? undefined : { counter: next.counter })
    if (answer === null) return false
    const found = JSON.parse(answer.text) as State
    const { user, token, counter } = this.#expected
    if (found.user === user && found.token === token && found.counter === counter) {
      this.#expected = next
      return true
    }
    await this.#lost(server, found, { path, key, stampKey, cookies })
    return false
  }

  /** The answer, or null where there is none that counts. A connection that breaks with a server's restart loses nothing: the cookies are here. */
  async #send (server: Server, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer | null> {
    const { report } = this.#around
    const since = server.changedAtMs
    try {
      const answer = await this.#client.send(server.port, method, path, body)
      report.add('requests')
      report.most('slowest answer, ms', answer.ms)
      if (answer.status === 200) return answer
      report.add('wrong answers (5xx and other)')
      report.violation(`${server.name} answered ${method} ${path} with ${answer.status}: ${answer.text}`)
    } catch (error) {
      const restarts = !server.isUp || server.changedAtMs !== since || Date.now() - server.changedAtMs < RESTART_MS
      report.add('connection errors while a server restarts', restarts ? 1 : 0)
      if (!restarts) report.violation(`${server.name} gave no answer to ${method} ${path}: ${(error as Error).message}`)
    }
    return null
  }

  async #lost (server: Server, found: State, { path, key, stampKey, cookies }: Asked): Promise<void> {
    const { report, ring } = this.#around
    const atMs = Date.now()
    report.add('sessions lost')
    this.#client.cookies.clear()
    const wanted = this.#expected
    this.#expected = NOBODY
    const { keys, loadedAtMs, lastRead, state } = server
    const named = [key, stampKey]
    const inRing = (await ring.keys()).filter(({ id }) => named.includes(id)).map(({ id, activatesAtMs, expiresAtMs }) => `${id} active in ${activatesAtMs - atMs} ms${expiresAtMs === null ? '' : `, expires in ${expiresAtMs - atMs} ms`}`)
    const later = new Client()
    for (const [name, value] of cookies) later.cookies.set(name, value)
    await pause(WITHOUT_A_SERVER_MS)
    const again = await later.send(server.port, 'GET', '/read').then(({ text }) => text, String)
    later.close()
    report.violation(`a session was lost at ${new Date(atMs).toISOString()} by ${server.name} (${state}): ${path}, key ${key}, key of the stamp ${stampKey}, logged in ${atMs - this.#loggedInAtMs} ms ago; ` +
      `wanted ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}, found a moment later ${again}; the server knew ${named.filter(id => keys.includes(id)).join(' ') || 'neither'} since ${atMs - loadedAtMs} ms, ` +
      `its last read began ${atMs - (lastRead?.startedAtMs ?? 0)} ms ago and took ${lastRead?.ms} ms (${lastRead?.ok === true ? 'good' : 'failed'}); in the ring: ${inRing.join('; ')}`)
  }

  #chooseServer (): Server | undefined {
    const { servers, dice } = this.#around
    const ending = servers.filter(({ state }) => state === 'ending')
    if (ending.length > 0 && dice.chance(TO_ENDING_SERVERS)) return dice.oneOf(ending)
    return dice.oneOf(servers.filter(({ isUp }) => isUp))
  }
}
