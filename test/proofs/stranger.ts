import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, COOKIE } from './client'
import type { Report } from './report'
import type { Server } from './server'

/** Of about the length of a session's. */
const TOKEN_BYTES = 150
const VERSION_AND_PARTS = '0101'

/** Somebody who has no session and tries what there is to try. */
export class Stranger {
  /** A connection that it kept, and never used again, would keep a server from closing. */
  readonly #client = new Client(false)
  readonly #report: Report

  constructor (report: Report) {
    this.#report = report
  }

  /** A cookie that names a key which is nowhere: the server looks for it. */
  async guessKey (server: Server): Promise<void> {
    await this.#send(server, randomBytes(4).toString('hex'))
  }

  /** A cookie that names a key of the ring, and was not sealed by it. */
  async forge (server: Server): Promise<void> {
    const id = server.keys.at(-1)
    if (id !== undefined) await this.#send(server, id)
  }

  /** Cookies that name keys which are nowhere, over and over. */
  async floodUntil (signal: AbortSignal, servers: readonly Server[], perSecond: number): Promise<void> {
    while (!signal.aborted) {
      await Promise.all([pause(1000 * servers.length / perSecond), ...servers.map(async server => { await this.guessKey(server) })])
    }
  }

  close (): void {
    this.#client.close()
  }

  /** A server that is down just now is no news. */
  async #send (server: Server, keyId: string): Promise<void> {
    if (!server.isUp) return
    this.#client.cookies.clear()
    this.#client.cookies.set(COOKIE, Buffer.concat([Buffer.from(`${VERSION_AND_PARTS}${keyId}`, 'hex'), randomBytes(TOKEN_BYTES)]).toString('base64url'))
    const answer = await this.#client.send(server.port, 'GET', '/read').catch(() => null)
    if (answer === null) return
    this.#report.add('junk requests')
    if (answer.status === 200 && (JSON.parse(answer.text) as { user: unknown }).user === null) return
    this.#report.violation(`${server.name} gave a stranger ${answer.status} ${answer.text}`)
  }
}
