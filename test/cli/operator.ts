import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Io } from '../../lib/cli/command'
import { run } from '../../lib/cli/run'
import { parseKeyring, writeKeyring, type KeyRecord } from '../../lib/keyring/document'
import { keyOf } from '../../lib/keyring/lifecycle'
import { DAY_MS } from '../../lib/time'
import { freshFolder } from '../helpers/installed'

export interface Ran {
  readonly status: number
  readonly out: string
  readonly err: string
}

export const RING = ['--keyring', 'keys.json']
export const FILE = 'keys.json'

/** Somebody at a terminal, in a folder and at a time of their own. No key that they have may show in what they see. */
export class Operator {
  readonly folder: string
  nowMs = Date.UTC(2026, 2, 1, 12)
  /** Keys that must never show, beside those in the keyring file. */
  readonly secrets: Buffer[] = []
  env: Record<string, string> = {}
  input = ''
  world: Partial<Io> = {}
  readonly #t: Test

  constructor (t: Test) {
    this.#t = t
    this.folder = freshFolder(t)
  }

  async run (...args: string[]): Promise<Ran> {
    const before = this.#keys()
    const texts = { out: '', err: '' }
    const status = await run(args, this.io({ out: text => { texts.out += text }, err: text => { texts.err += text } }))
    const seen = texts.out + texts.err
    for (const key of [...before, ...this.#keys(), ...this.secrets]) {
      const spellings = [key.toString('base64url'), key.toString('base64'), key.toString('hex'), key.toString('hex').toUpperCase()]
      if (spellings.some(spelling => seen.includes(spelling))) this.#t.fail(`${args.join(' ')} showed a key`)
    }
    return { status, ...texts }
  }

  /** The world as a command meets it here; what it prints goes nowhere. */
  io (told: Partial<Io> = {}): Io {
    return {
      out: () => {},
      err: () => {},
      input: async () => this.input,
      isInputTTY: false,
      now: () => this.nowMs,
      env: this.env,
      cwd: this.folder,
      ...told,
      ...this.world
    }
  }

  /** As `run`, for what must work: what was printed. */
  async do (...args: string[]): Promise<string> {
    const { status, out, err } = await this.run(...args)
    if (status !== 0) throw new Error(`${args.join(' ')}: ${err}`)
    return out
  }

  /** As `do`, with `--json`. */
  async ask<T> (...args: string[]): Promise<T> {
    return JSON.parse(await this.do(...args, '--json'))
  }

  path (name: string): string { return join(this.folder, name) }
  ring (): KeyRecord[] { return parseKeyring(readFileSync(this.path(FILE), 'utf8')) }

  write (...keys: KeyRecord[]): void {
    writeFileSync(this.path(FILE), writeKeyring(keys), { mode: 0o600 })
  }

  /** A key of these days, counted from now; all of its bytes are `byte`. */
  key (byte: number, days: { created?: number, activates: number, expires?: number, revoked?: number }): KeyRecord {
    const at = (day: number | undefined): number | null => day === undefined ? null : this.nowMs + day * DAY_MS
    return {
      ...keyOf(Buffer.alloc(32, byte), at(days.created ?? days.activates) as number),
      activatesAtMs: at(days.activates) as number,
      expiresAtMs: at(days.expires),
      revokedAtMs: at(days.revoked)
    }
  }

  #keys (): Buffer[] {
    try {
      return existsSync(this.path(FILE)) ? this.ring().map(({ material }) => material) : []
    } catch {
      return []
    }
  }
}

/** A ring with a key in every state: expired, revoked, retired, active, pending. */
export function writeEveryState (operator: Operator): { expired: KeyRecord, revoked: KeyRecord, retired: KeyRecord, active: KeyRecord, pending: KeyRecord } {
  const keys = {
    expired: operator.key(1, { activates: -200, expires: -20 }),
    revoked: operator.key(2, { created: -140, activates: -139, expires: 10, revoked: -100 }),
    retired: operator.key(3, { activates: -100, expires: 70 }),
    active: operator.key(4, { created: -21, activates: -20, expires: 90.25 }),
    pending: operator.key(5, { created: 0, activates: 0.25 })
  }
  operator.write(...Object.values(keys))
  return keys
}
