import { Dice } from './dice'
import { describeAct, drawAct, type Act } from './hostile-acts'
import { HostileClient } from './hostile-client'
import { bringPast } from './hostile-past'
import { HostileServer } from './hostile-server'
import { drawSettings, type Given, type ServerSettings } from './hostile-settings'
import { HostileVisitor } from './hostile-visitor'
import type { Report } from './report'

const BATCHES = 6
const ACTS = 12
const VISITORS = 4
/** A process may end so much later than its connections. */
const END_MS = 1000
const MEGABYTE = 2 ** 20

export const CONNECTIONS = 'connections'
export const ANSWERS = 'answers'
export const ROUND_TRIPS = 'health checks that were good after it'
export const CLOSED = 'servers that were closed and ended in good order'
export const GROWTH = 'most that the heap of a server grew, MB'
export const MEMORY = 'most memory of a server, MB'

/** One server from its start to its end, and all that it is asked. */
export class Round {
  readonly #seed: number
  readonly #dice: Dice
  readonly #settings: ServerSettings
  readonly #report: Report
  readonly #visitors: readonly HostileVisitor[]
  /** Marks are never used again. */
  #marks = 0
  #lastBatch: readonly Act[] = []
  #isGood = true

  constructor (seed: number, given: Given, report: Report) {
    this.#seed = seed
    this.#dice = new Dice(seed)
    this.#settings = drawSettings(this.#dice.another(), given)
    this.#report = report
    this.#visitors = Array.from({ length: VISITORS }, () => this.#newVisitor())
    for (const visitor of this.#visitors) bringPast(visitor, this.#settings)
  }

  /** True where nothing was found. */
  async run (started: (server: HostileServer) => void): Promise<boolean> {
    const server = await HostileServer.start(this.#settings)
    started(server)
    if (server.ended !== null) this.#violation(server, `it ended while it started, with ${server.ended}`)
    const client = new HostileClient(this.#settings, server.port)
    const before = await server.usage()
    for (let batch = 1; batch <= BATCHES && this.#isGood; batch++) await this.#batch(server, client, `batch ${batch}`)
    const after = await server.usage()
    if (before !== null && after !== null) {
      this.#report.most(GROWTH, (after.heapUsed - before.heapUsed) / MEGABYTE)
      this.#report.most(MEMORY, after.rss / MEGABYTE)
    }
    // Sessions of HTTP/2 whose client is gone can keep a server of Fastify from closing, with no plugin at all.
    if (this.#isGood && !this.#settings.http2) await this.#close(server, client)
    await server.kill()
    return this.#isGood
  }

  async #batch (server: HostileServer, client: HostileClient, name: string): Promise<void> {
    await this.#play(server, client)
    this.#judge(server, name)
    if (!this.#isGood) return
    const trouble = await client.checkHealth(this.#newVisitor())
    if (trouble !== null) await server.endsWithin(END_MS)
    this.#judge(server, name)
    if (trouble !== null) this.#violation(server, `after ${name}, ${trouble}`)
    else this.#report.add(ROUND_TRIPS)
  }

  /** Some requests at once, several of them with the cookies of one visitor. */
  async #play (server: HostileServer, client: HostileClient): Promise<void> {
    const { http2, tls } = this.#settings
    const speaks = { http1: !http2 || tls !== null, http2 }
    const visitors = Array.from({ length: ACTS }, () => this.#dice.oneOf(this.#visitors))
    const acts = visitors.map(visitor => drawAct(this.#dice.another(), visitor, speaks))
    this.#lastBatch = acts
    await Promise.all(acts.map(async (act, index) => {
      const { answers, trouble } = await client.play(act, visitors[index] as HostileVisitor)
      this.#report.add(CONNECTIONS)
      this.#report.add(ANSWERS, answers)
      if (trouble !== null) this.#violation(server, trouble, act)
    }))
  }

  /** Half of the servers are closed while they have requests. */
  async #close (server: HostileServer, client: HostileClient): Promise<void> {
    const isBusy = this.#dice.chance(0.5)
    const playing = isBusy ? this.#play(server, client) : Promise.resolve()
    const hasEnded = await server.close()
    await playing
    const when = isBusy ? 'it was closed while it had requests' : 'it was closed'
    if (!hasEnded) {
      const usage = await server.usage()
      const left = usage?.resources.join(', ') ?? 'nothing of its app'
      return this.#violation(server, `${when}, and its process goes on, with ${left}`)
    }
    if (server.ended !== 'exit code 0') return this.#violation(server, `${when}, and ended with ${server.ended}`)
    this.#report.add(CLOSED)
  }

  #judge (server: HostileServer, name: string): void {
    const [defect] = server.defects
    if (server.ended !== null) this.#violation(server, `the process ended in ${name}, with ${server.ended}`)
    else if (defect !== undefined) this.#violation(server, `a defect of the package itself, in ${name}: ${defect}`)
    else if (server.hasWarned) this.#violation(server, `a warning of Node.js, in ${name}`)
  }

  /** With all that is needed to see it again. The first is told; others follow from it. */
  #violation (server: HostileServer, what: string, act?: Act): void {
    if (!this.#isGood) return
    this.#isGood = false
    this.#report.violation(`seed ${this.#seed}: ${what}`)
    const settings = { ...this.#settings, tls: this.#settings.tls === null ? null : 'a certificate' }
    console.error([
      `  again: --seed ${this.#seed} --seconds 1`,
      `  settings: ${JSON.stringify(settings)}`,
      ...act === undefined ? [] : [`  request:\n     ${describeAct(act)}`],
      '  last batch:',
      ...this.#lastBatch.map((one, index) => `  ${index + 1}. ${describeAct(one)}`),
      `  stderr: ${server.stderr}`
    ].join('\n'))
  }

  #newVisitor (): HostileVisitor {
    return new HostileVisitor(this.#seed * 1000 + this.#marks++)
  }
}
