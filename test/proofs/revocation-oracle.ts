import type { Report } from './report'

/** Sessions of one kind are checked at every request, of the other once in a while. */
export const RECHECK_MS = { strict: 0, eased: 300 } as const
export type Kind = keyof typeof RECHECK_MS

/** Times are whole milliseconds, and a session may begin a few after the cut-off of others. */
const SLACK_MS = 10

export const COUNTED = {
  read: 'sessions read',
  refused: 'requests refused that bore an ended session',
  within: 'ended sessions still read within their window',
  unsure: 'requests about which nothing can be said'
}

/** A login in one browser. */
export interface Login {
  readonly subject: Subject
  /** What only its own session holds. */
  readonly token: string
  /** As they were sealed, with the latest stamp: whoever stole them keeps them. */
  readonly cookies: Map<string, string>
  beganMs: number
  /** An ending was sent that may have met it. */
  isThreatened: boolean
  /** When an ending that surely met it was acknowledged. */
  overSinceMs: number | null
}

/** A user, as far as the sessions of one kind go. */
export class Subject {
  readonly name: string
  readonly kind: Kind
  logins: Login[] = []
  /** Endings of all that were sent, and not answered yet. */
  cutsUnderWay = 0
  readonly #beginning = new Set<Login>()

  constructor (name: string, kind: Kind) {
    this.name = name
    this.kind = kind
  }

  get current (): Login[] {
    return this.logins.filter(({ overSinceMs }) => overSinceMs === null)
  }

  get ended (): Login[] {
    return this.logins.filter(({ overSinceMs }) => overSinceMs !== null)
  }

  /** A login that is sent now. It counts once it is acknowledged. */
  beginning (token: string): { login: Login, acknowledged: (cookies: ReadonlyMap<string, string>) => void, failed: () => void } {
    const login: Login = { subject: this, token, cookies: new Map(), beganMs: 0, isThreatened: this.cutsUnderWay > 0, overSinceMs: null }
    this.#beginning.add(login)
    return {
      login,
      acknowledged: cookies => {
        this.#beginning.delete(login)
        for (const [name, value] of cookies) login.cookies.set(name, value)
        login.beganMs = performance.now()
        this.logins.push(login)
      },
      failed: () => { this.#beginning.delete(login) }
    }
  }

  /** The end of all, sent now. Those that are under way meanwhile may fall on either side. */
  cutting (): { acknowledged: () => void, ended: () => void } {
    this.cutsUnderWay++
    const sentMs = performance.now()
    const sure = this.logins.filter(({ beganMs }) => beganMs < sentMs - SLACK_MS)
    for (const login of [...this.logins, ...this.#beginning]) login.isThreatened = true
    return {
      acknowledged: () => { for (const login of sure) isOver(login) },
      ended: () => { this.cutsUnderWay-- }
    }
  }

  /** Most that are over are forgotten. */
  forget (most: number): void {
    const { ended } = this
    for (const login of ended.slice(0, Math.max(0, ended.length - most))) this.logins.splice(this.logins.indexOf(login), 1)
  }
}

export function isOver (login: Login): void {
  login.isThreatened = true
  login.overSinceMs ??= performance.now()
}

/** What a request that began then was told of a session, and whether it may be so. */
export function judge (report: Report, login: Login, found: string | null, sentMs: number, where: string): void {
  const { subject: { name, kind }, token, isThreatened, overSinceMs, beganMs } = login
  const who = `the ${kind} session of ${name}, which began ${Math.round(sentMs - beganMs)} ms before, at ${where}`
  if (found !== null && found !== token) report.violation(`${who}: the data of another session`)
  else if (found === null) {
    if (!isThreatened) report.violation(`${who}: refused, and nobody ended it`)
    else report.add(overSinceMs === null ? COUNTED.unsure : COUNTED.refused)
  } else if (overSinceMs === null || sentMs <= overSinceMs) report.add(isThreatened ? COUNTED.unsure : COUNTED.read)
  else if (sentMs > overSinceMs + RECHECK_MS[kind] + (kind === 'strict' ? 0 : SLACK_MS)) report.violation(`${who}: LEAKED, ${(sentMs - overSinceMs).toFixed(1)} ms after its end was acknowledged`)
  else report.add(COUNTED.within)
}
