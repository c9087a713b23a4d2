import { EventEmitter } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { KeyRecord } from '../../lib/keyring/document'
import type { Dice } from './dice'
import type { Report } from './report'
import type { Ring } from './ring'
import type { Server } from './server'
import type { Stranger } from './stranger'
import { until } from './waiting'

export const NOW = 'rotations by hand, to seal at once'
export const SOON = 'rotations by hand, to seal in 1 to 2 s'
export const BY_SERVERS = 'rotations by the servers'
export const TROUBLES = 'times that a store hung or failed'

/** The servers' own rotation. It must come seldom enough for the rotations by hand to have their turn. */
export const EVERY_MS = 6000
export const ACTIVATE_IN_MS = 1500

/** A server seeks keys five times a second. Those that seal at once keep a distance from each other, and strangers one from them. */
const SEEK_EVERY_MS = 200
const BETWEEN_SEEKS_MS = 500
/** For a rotation by hand, on a machine that does much else. */
const ROOM_MS = 1000
/** Shorter than any key takes from its making to its use. */
const LONGEST_TROUBLE_MS = 900
const TROUBLED = 0.4
/** Generous: only that it comes to pass counts, not when. */
const PATIENCE_MS = 20_000

interface Surroundings {
  readonly servers: readonly Server[]
  readonly ring: Ring
  readonly report: Report
  readonly dice: Dice
  readonly stranger: Stranger
  readonly keepForMs: number
}

/**
 * Rotates in each way in turn. Between the turns strangers make the servers look for keys that are nowhere, and stores
 * hang or fail, but only those of servers that know every key which is about to be used: else nothing could be promised.
 */
export class Rotations {
  readonly #around: Surroundings
  /** By which way each key came that was seen so far. */
  readonly #ways = new Map<string, string>()

  constructor (around: Surroundings) {
    this.#around = around
  }

  /** Goes on until then, and to the end of a round. */
  async goOnUntil (signal: AbortSignal): Promise<void> {
    this.#fresh(await this.#around.ring.keys(), 'the beginning')
    const turns = [this.#rotateNow, this.#rotateSoon, this.#rotateNow, this.#waitForServers]
    while (!signal.aborted) {
      for (const turn of turns) {
        await this.#untilQuiet()
        await turn.call(this)
        await this.#settle()
        await this.#untilQuiet()
        await this.#junk()
      }
      await this.#around.ring.prune()
    }
  }

  /** The last key has been in use for a while, and the servers will not make the next one just now. */
  async #untilQuiet (): Promise<void> {
    for (;;) {
      const sinceMs = Date.now() - activationOf(await this.#around.ring.keys())
      if (sinceMs < BETWEEN_SEEKS_MS) await pause(BETWEEN_SEEKS_MS - sinceMs)
      else if (sinceMs + ROOM_MS < EVERY_MS - ACTIVATE_IN_MS) return
      else await this.#waitForServers()
      await this.#settle()
    }
  }

  async #rotateNow (): Promise<void> {
    const { ring, report, keepForMs } = this.#around
    this.#ways.set(await ring.rotate(0, keepForMs), NOW)
    report.add(NOW)
  }

  /** Until half of the time that they have to learn of the key is over, some servers cannot. */
  async #rotateSoon (): Promise<void> {
    const { ring, report, dice, keepForMs } = this.#around
    const id = await ring.rotate(dice.between(1000, 2000), keepForMs)
    this.#ways.set(id, SOON)
    report.add(SOON)
    const keys = await ring.keys()
    const leftMs = activationOf(keys.filter(key => key.id === id)) - Date.now()
    this.#makeTrouble(keys.filter(key => key.id !== id), leftMs / 2)
    await pause(leftMs)
  }

  /** The servers find by themselves that it is time, and one of them makes a key. */
  async #waitForServers (): Promise<void> {
    const { servers, ring, report } = this.#around
    this.#makeTrouble(await ring.keys(), LONGEST_TROUBLE_MS)
    await anyChange(servers, () => servers.some(({ keys }) => keys.some(id => !this.#ways.has(id))))
    const keys = await ring.keys()
    const fresh = this.#fresh(keys, BY_SERVERS)
    if (fresh.length === 0) report.violation(`no server made a key within ${PATIENCE_MS / 1000} s, and one was due`)
    for (const key of fresh) {
      report.add(BY_SERVERS)
      this.#refuseTwin(key, keys)
    }
    await pause(activationOf(fresh) - Date.now())
  }

  /** All servers see at the same time that a key is due. Had two of them made one, the two would lie too close. */
  #refuseTwin (key: KeyRecord, keys: readonly KeyRecord[]): void {
    for (const other of keys) {
      if (other === key || this.#ways.get(other.id) !== BY_SERVERS) continue
      const apartMs = Math.abs(key.activatesAtMs - other.activatesAtMs)
      if (apartMs < EVERY_MS) this.#around.report.violation(`the servers made keys ${key.id} and ${other.id}, to seal ${apartMs} ms apart`)
    }
  }

  /** Every server comes to know every key. */
  async #settle (): Promise<void> {
    const { servers, ring, report } = this.#around
    for (const { id } of await ring.keys()) {
      for (const server of servers) {
        if (!await server.knows(id, PATIENCE_MS)) report.violation(`${server.name} did not learn of key ${id} within ${PATIENCE_MS / 1000} s`)
      }
    }
  }

  async #junk (): Promise<void> {
    const { servers, ring, stranger } = this.#around
    const able = this.#knowing(await ring.keys())
    await Promise.all(able.map(async server => { await stranger.guessKey(server) }))
    await Promise.all([pause(SEEK_EVERY_MS), ...servers.map(async server => { await stranger.forge(server) })])
  }

  #makeTrouble (known: readonly KeyRecord[], forMs: number): void {
    const { dice, report } = this.#around
    for (const server of this.#knowing(known)) {
      if (forMs <= 0 || !dice.chance(TROUBLED)) continue
      server.suffer(dice.chance(0.5) ? 'hang' : 'fail', Math.min(forMs, LONGEST_TROUBLE_MS))
      report.add(TROUBLES)
    }
  }

  #knowing (keys: readonly KeyRecord[]): Server[] {
    return this.#around.servers.filter(server => server.isUp && keys.every(({ id }) => server.keys.includes(id)))
  }

  /** The keys that were not seen before. */
  #fresh (keys: readonly KeyRecord[], way: string): KeyRecord[] {
    const fresh = keys.filter(({ id }) => !this.#ways.has(id))
    for (const { id } of fresh) this.#ways.set(id, way)
    return fresh
  }
}

function activationOf (keys: readonly KeyRecord[]): number {
  return Math.max(0, ...keys.map(({ activatesAtMs }) => activatesAtMs))
}

async function anyChange (servers: readonly Server[], holds: () => boolean): Promise<void> {
  const changes = new EventEmitter()
  const tell = (): void => { changes.emit('change') }
  for (const server of servers) server.on('change', tell)
  await until(changes, 'change', PATIENCE_MS, holds)
  for (const server of servers) server.off('change', tell)
}
