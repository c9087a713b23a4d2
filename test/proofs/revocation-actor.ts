import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from './client'
import type { Dice } from './dice'
import type { Report } from './report'
import { isOver, judge, type Login, type Subject } from './revocation-oracle'
import type { RevocationServer } from './revocation-server'

export const DONE = {
  requests: 'requests',
  logins: 'logins',
  logouts: 'logouts',
  everywhere: 'logouts everywhere',
  others: 'ends of all other sessions',
  relogins: 'logins in a browser that had a session',
  away: 'answers that the store is away',
  broken: 'connections that a server broke off',
  slowest: 'slowest answer, ms'
}

/** Nothing may hang. A question is waited for a second, and a request asks a few. */
const LONGEST_MS = 20_000
const BROWSERS_OF_ONE = 4
const KEPT_OF_ENDED = 6
const BURST = 4
const MOST_PAUSE_MS = 15

export interface Surroundings {
  readonly subjects: readonly Subject[]
  readonly servers: readonly RevocationServer[]
  readonly dice: Dice
  readonly report: Report
}

/** Does now this, now that, in the name of all, at the same time as others like it. */
export class Actor {
  readonly #around: Surroundings
  readonly #client = new Client()

  readonly #watchers: readonly Actor[]
  #watching: Promise<unknown> = Promise.resolve()

  /** @param watchers who use sessions while this one ends them */
  constructor (around: Surroundings, watchers: readonly Actor[] = []) {
    this.#around = around
    this.#watchers = watchers
  }

  async goOnUntil (signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#step()
      await pause(this.#around.dice.between(0, MOST_PAUSE_MS))
    }
    await this.#watching
    this.close()
  }

  close (): void {
    this.#client.close()
    for (const watcher of this.#watchers) watcher.close()
  }

  async #step (): Promise<void> {
    const { dice, subjects } = this.#around
    const subject = dice.oneOf(subjects)
    subject.forget(KEPT_OF_ENDED)
    const { current } = subject
    if (current.length === 0) return await this.#logIn(subject, null)
    const login = dice.oneOf(current)
    const roll = dice.share()
    if (roll < 0.03) await this.#logOut(login)
    else if (roll < 0.05) await this.#endEverywhere(subject)
    else if (roll < 0.08) await this.#endOthers(login)
    else if (roll < 0.10) await this.#logIn(subject, login)
    else if (roll < 0.22 && current.length < BROWSERS_OF_ONE) await this.#logIn(subject, null)
    else await this.read(dice.oneOf(dice.chance(0.4) && subject.ended.length > 0 ? subject.ended : current), dice.chance(0.5))
  }

  async #logIn (subject: Subject, former: Login | null): Promise<void> {
    const token = randomUUID()
    const beginning = subject.beginning(token)
    if (former !== null) former.isThreatened = true
    const isDone = await this.#send(former, 'POST', `/${subject.kind}/login`, { user: subject.name, token }) !== null
    if (!isDone) return beginning.failed()
    beginning.acknowledged(this.#client.cookies)
    this.#around.report.add(former === null ? DONE.logins : DONE.relogins)
    if (former !== null) await this.#haveEnded([former])
    else await this.read(beginning.login)
  }

  async #logOut (login: Login): Promise<void> {
    const { dice, report } = this.#around
    login.isThreatened = true
    const answer = await this.#watched([login], async () => await this.#send(login, 'POST', `/${login.subject.kind}/${dice.oneOf(['logout', 'revoke'])}`, {}))
    if (answer === null) return
    report.add(DONE.logouts)
    await this.#haveEnded([login])
  }

  async #endEverywhere (subject: Subject): Promise<void> {
    const cutting = subject.cutting()
    const before = subject.current
    const answer = await this.#watched(before, async () => await this.#send(null, 'POST', `/${subject.kind}/everywhere`, { user: subject.name }))
    if (answer !== null) {
      this.#around.report.add(DONE.everywhere)
      cutting.acknowledged()
    }
    cutting.ended()
    if (answer === null) return
    await this.#burst(before.filter(({ overSinceMs }) => overSinceMs !== null))
    await this.#logIn(subject, null)
  }

  /** The session goes on under another id: as if it had begun then. */
  async #endOthers (login: Login): Promise<void> {
    const { subject } = login
    const token = randomUUID()
    const beginning = subject.beginning(token)
    const cutting = subject.cutting()
    // It begins after the cut-off, which is its own.
    beginning.login.isThreatened = subject.cutsUnderWay > 1
    const before = subject.current
    const isDone = await this.#send(login, 'POST', `/${subject.kind}/others`, { token }) !== null
    cutting.ended()
    if (!isDone) return beginning.failed()
    cutting.acknowledged()
    isOver(login)
    this.#around.report.add(DONE.others)
    beginning.acknowledged(this.#client.cookies)
    await this.#burst(before.filter(({ overSinceMs }) => overSinceMs !== null))
    await this.read(beginning.login)
  }

  async #haveEnded (logins: readonly Login[]): Promise<void> {
    for (const login of logins) isOver(login)
    await this.#burst(logins)
  }

  /** While these sessions are ended others use them all the time, so that questions about them are under way. */
  async #watched<T> (logins: readonly Login[], ending: () => Promise<T>): Promise<T> {
    await this.#watching
    const done = new AbortController()
    this.#watching = Promise.all(this.#watchers.map(async watcher => {
      while (!done.signal.aborted && await watcher.read(this.#around.dice.oneOf(logins), false));
    }))
    try {
      return await ending()
    } finally {
      done.abort()
    }
  }

  /** At once and at the same time: if anybody still lets it in, it is now. */
  async #burst (logins: readonly Login[]): Promise<void> {
    if (logins.length === 0) return
    await Promise.all(Array.from({ length: BURST }, async () => { await this.read(this.#around.dice.oneOf(logins), false) }))
  }

  /** @param takesStamp false for a client that drops what Set-Cookie says */
  async read (login: Login, takesStamp = true, server = this.#oneServer()): Promise<boolean> {
    const { report } = this.#around
    const sentMs = performance.now()
    const text = await this.#send(login, 'GET', `/${login.subject.kind}/read`, undefined, server)
    if (text === null) return false
    const stamp = this.#client.cookies.get(`${login.subject.kind}.t`)
    const { token } = JSON.parse(text) as { token: string | null }
    if (takesStamp && stamp !== undefined && token !== null) login.cookies.set(`${login.subject.kind}.t`, stamp)
    judge(report, login, token, sentMs, server?.name ?? '')
    return true
  }

  /** What it answered; null where it did not do it. */
  async #send (login: Login | null, method: 'GET' | 'POST', path: string, body?: object, server = this.#oneServer()): Promise<string | null> {
    const { report } = this.#around
    if (server === undefined) return null
    this.#client.cookies.clear()
    for (const [name, value] of login?.cookies ?? []) this.#client.cookies.set(name, value)
    try {
      const { status, text, ms } = await this.#client.send(server.port, method, path, body)
      report.add(DONE.requests)
      report.most(DONE.slowest, ms)
      if (ms > LONGEST_MS) report.violation(`${server.name} took ${ms} ms for ${path}`)
      if (status === 200) return text
      // Whoever has no session any more cannot end others.
      if (status === 503) report.add(DONE.away)
      else if (status !== 401 || !path.endsWith('/others')) report.violation(`${server.name} answered ${path} with ${status}: ${text}`)
    } catch {
      report.add(DONE.broken)
    }
    return null
  }

  #oneServer (): RevocationServer | undefined {
    const up = this.#around.servers.filter(({ isUp }) => isUp)
    return up.length === 0 ? undefined : this.#around.dice.oneOf(up)
  }
}
