import { readFile } from 'node:fs/promises'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import fastify from 'fastify'
import type { Test } from 'tap'
import secureSession from '../../index'
import type { Session } from '../../types/session'
import { plainEnv } from '../helpers/process'
import { Visitor } from './oauth2-visitor'

export interface Person {
  readonly id: string
  readonly name: string
  readonly password: string
}

/** What the provider gave at its token endpoint. */
export interface Issued {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

/** What the site's session holds. */
export interface Held {
  readonly user: { readonly id: string, readonly name: string }
  readonly tokens: { readonly accessToken: string, readonly refreshToken: string, readonly expiresAt: number }
  readonly csrf: string
  readonly first?: string
}

interface Addresses {
  readonly site: string
  readonly issuer: string
  readonly api: string
  readonly people: readonly Person[]
}

/** The site, its provider and its API, in another process, and what a test may do to them. */
export class World {
  readonly site: string
  readonly issuer: string
  readonly api: string
  readonly people: readonly Person[]
  readonly keyFolder: string
  readonly publicUrl: string
  readonly #child: ChildProcess
  #aheadMs = 0
  readonly #asked = new Map<number, (result: any) => void>()

  private constructor (child: ChildProcess, { site, issuer, api, people }: Addresses, keyFolder: string, publicUrl: string) {
    this.#child = child
    this.site = site
    this.issuer = issuer
    this.api = api
    this.people = people
    this.keyFolder = keyFolder
    this.publicUrl = publicUrl
    child.on('message', ({ id, result }: { id: number, result: unknown }) => {
      this.#asked.get(id)?.(result)
      this.#asked.delete(id)
    })
  }

  static async start (t: Test, options: { keyFolder?: string, publicUrl?: string } = {}): Promise<World> {
    const keyFolder = options.keyFolder ?? t.testdir({})
    const child = fork(join(__dirname, 'oauth2-servers.js'), [JSON.stringify({ ...options, keyFolder })], { env: plainEnv(), execArgv: [] })
    const exit = once(child, 'exit')
    t.teardown(async () => {
      if (child.connected) child.disconnect()
      await exit
    })
    const failed = exit.then(([code]) => { throw new Error(`the servers ended with code ${code}`) })
    const [{ result }] = await Promise.race([once(child, 'message'), failed]) as [{ result: Addresses }]
    failed.catch(() => {})
    return new World(child, result, keyFolder, options.publicUrl ?? result.site)
  }

  visitor (): Visitor {
    return new Visitor(this)
  }

  /** The session in a cookie of the site, for who has the key file. Throws where it does not open. */
  async opened (token: string, cookieName = 'session'): Promise<Session<Held>> {
    const app = fastify()
    await app.register(secureSession, { key: await readFile(join(this.keyFolder, 'session.key')), cookieName })
    const now = Date.now
    Date.now = () => now() + this.#aheadMs
    const session = app.decodeSecureSession<Held>(token)
    Date.now = now
    await app.close()
    if (session === null) throw new Error('this cookie does not open')
    return session
  }

  async heldBy (visitor: Visitor): Promise<Held> {
    return (await this.opened(visitor.session)).data() as Held
  }

  person (id: string): Person {
    const found = this.people.find(person => person.id === id)
    if (found === undefined) throw new Error(`nobody is called ${id}`)
    return found
  }

  /** The clock of the servers is right again, and refreshes are counted from here. */
  async reset (): Promise<void> {
    this.#aheadMs = 0
    await this.#ask('reset')
  }

  async advance (ms: number): Promise<void> {
    this.#aheadMs += ms
    await this.#ask('advance', ms)
  }

  away (isAway: boolean): Promise<void> { return this.#ask('away', isAway) }
  pad (characters: number): Promise<void> { return this.#ask('pad', characters) }
  leaveOutRefreshToken (isLeftOut: boolean): Promise<void> { return this.#ask('leaveOutRefreshToken', isLeftOut) }
  hold (): Promise<void> { return this.#ask('hold') }
  release (): Promise<void> { return this.#ask('release') }
  endGrant (refreshToken: string): Promise<void> { return this.#ask('endGrant', refreshToken) }
  endAccessToken (accessToken: string): Promise<void> { return this.#ask('endAccessToken', accessToken) }
  issued (): Promise<Issued[]> { return this.#ask('issued') }
  /** What the revocation endpoint was sent. */
  revoked (): Promise<string[]> { return this.#ask('revoked') }
  logged (): Promise<string[]> { return this.#ask('logged') }
  isGood (kind: 'AccessToken' | 'RefreshToken', token: string): Promise<boolean> { return this.#ask('isGood', kind, token) }

  /** What the token endpoint was asked to refresh, and the errors it answered; null for none. */
  async refreshes (): Promise<Array<string | null>> {
    const exchanges: Array<{ type: string, error: string | null }> = await this.#ask('exchanges')
    return exchanges.filter(({ type }) => type === 'refresh_token').map(({ error }) => error)
  }

  async newest (): Promise<Issued> {
    return (await this.issued()).at(-1) as Issued
  }

  /** Until so many requests wait at the token endpoint, which is on hold. */
  async untilWaiting (count: number): Promise<void> {
    while (await this.#ask('waiting') < count) await new Promise(resolve => { setImmediate(resolve) })
  }

  async #ask (name: string, ...args: unknown[]): Promise<any> {
    const id = ++lastId
    const answer = new Promise(resolve => { this.#asked.set(id, resolve) })
    this.#child.send({ id, name, args })
    return await answer
  }
}

let lastId = 0
