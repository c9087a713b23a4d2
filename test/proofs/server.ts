import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type secureSession from '../../index'
import { plainEnv } from '../helpers/process'
import type { Dice } from './dice'
import { until } from './waiting'

export interface ServerSettings {
  readonly name: string
  readonly package: string
  readonly port: number
  readonly file: string | null
  readonly redis: string | null
  readonly session: Omit<secureSession.SessionOptions, 'keyring'>
  /** How many of the reads of the ring take longer, and up to how much. */
  readonly slowShare: number
  readonly slowMs: number
}

interface RingRead {
  readonly startedAtMs: number
  readonly ms: number
  readonly ok: boolean
}

type Message =
  | { readonly kind: 'listening' }
  | { readonly kind: 'read' } & RingRead
  | { readonly kind: 'loaded', readonly keys: string[] }
  | { readonly kind: 'warning', readonly text: string, readonly aboutKeyring: boolean }

const PATIENCE_MS = 30_000

/** A server process, seen from the parent. Emits 'change' whenever one of its properties did, and 'warning' with the text and whether it is about the ring. */
export class Server extends EventEmitter {
  readonly name: string
  readonly port: number
  /** 'ending' from the moment it was told to end, or will be killed. */
  state: 'down' | 'starting' | 'up' | 'ending' = 'down'
  /** When `state` last changed. */
  changedAtMs = 0
  /** The ids of the keys it knows. */
  keys: readonly string[] = []
  loadedAtMs = 0
  lastRead: RingRead | null = null
  readonly #settings: ServerSettings
  #child: ChildProcess | null = null

  constructor (settings: ServerSettings) {
    super()
    this.name = settings.name
    this.port = settings.port
    this.#settings = settings
  }

  async start (): Promise<void> {
    this.#become('starting')
    const child = fork(join(__dirname, 'server-process.js'), [JSON.stringify(this.#settings)], { env: plainEnv({ NODE_ENV: 'production' }), execArgv: [] })
    this.#child = child
    child.on('message', message => { this.#hear(message as Message) })
    child.once('exit', (code, signal) => {
      if (this.state !== 'ending') this.emit('warning', `ended by itself, with ${signal ?? `exit code ${code}`}`, false)
      this.#become('down')
      this.emit('change')
    })
    if (!await until(this, 'change', PATIENCE_MS, () => this.state !== 'starting') || !this.isUp) throw new Error(`server ${this.name} did not start`)
  }

  /** SIGTERM makes it close as an app does, SIGKILL gives it no time for anything. */
  async end (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === null || this.state === 'down') return
    this.#become('ending')
    child.kill(signal)
    await once(child, 'exit')
  }

  get isUp (): boolean { return this.state === 'up' }

  /** Its store hangs or fails until then. */
  suffer (kind: 'hang' | 'fail', forMs: number): void {
    if (this.isUp) this.#child?.send({ kind, untilMs: Date.now() + forMs })
  }

  /** True once it knows this key; true also for a server that is not up, since it will read the ring when it starts. */
  async knows (id: string, patienceMs: number): Promise<boolean> {
    return await until(this, 'change', patienceMs, () => !this.isUp || this.keys.includes(id))
  }

  #hear (message: Message): void {
    switch (message.kind) {
      case 'listening': this.#become('up'); this.emit('change'); break
      case 'loaded': this.keys = message.keys; this.loadedAtMs = Date.now(); this.emit('change'); break
      case 'read': this.lastRead = message; this.emit('change'); break
      case 'warning': this.emit('warning', message.text, message.aboutKeyring)
    }
  }

  #become (state: Server['state']): void {
    this.state = state
    this.changedAtMs = Date.now()
  }
}

/** Free, and below those that the system gives to connections: nobody takes it while the server is down. */
export async function freePort (dice: Dice): Promise<number> {
  for (;;) {
    const port = Math.floor(dice.between(20_000, 32_000))
    const server = createServer()
    const isFree = await new Promise<boolean>(resolve => {
      server.once('error', () => { resolve(false) })
      server.listen(port, '127.0.0.1', () => { resolve(true) })
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
