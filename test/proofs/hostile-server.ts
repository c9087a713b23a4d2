import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { plainEnv } from '../helpers/process'
import type { ServerSettings } from './hostile-settings'
import { until } from './waiting'

interface Usage {
  /** In bytes. */
  readonly rss: number
  readonly heapUsed: number
  /** What keeps its event loop alive. */
  readonly resources: readonly string[]
}

type Message =
  | { readonly kind: 'listening', readonly port: number }
  | { readonly kind: 'usage' } & Usage
  | { readonly kind: 'defect', readonly text: string }

const START_PATIENCE_MS = 30_000
const USAGE_PATIENCE_MS = 5000
/** A server that closes ends within this time: what its app began takes less. */
const CLOSE_PATIENCE_MS = 20_000
/** Of Node.js: more listeners than an object should have, and other mistakes in how it is used. */
const WARNING = /\b(?:MaxListenersExceeded|PromiseRejectionHandled|TimeoutNegative|TimeoutOverflow|TimeoutNaN)Warning/

/** A server in a process of its own, seen from the parent. */
export class HostileServer extends EventEmitter {
  readonly settings: ServerSettings
  port = 0
  stderr = ''
  /** What it found wrong with itself. */
  readonly defects: string[] = []
  /** How it ended; null while it runs. */
  ended: string | null = null
  #usage: Usage | null = null
  readonly #child: ChildProcess

  private constructor (settings: ServerSettings) {
    super()
    this.settings = settings
    this.#child = fork(join(__dirname, 'hostile-process.js'), [JSON.stringify(settings)], {
      env: plainEnv(),
      execArgv: ['--trace-warnings', '--stack-trace-limit=30'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc']
    })
    this.#child.on('message', message => { this.#take(message as Message) })
    const stderr = this.#child.stderr as Readable
    stderr.setEncoding('utf8').on('data', (text: string) => { this.stderr += text })
    // With 'close' all that it printed is here.
    this.#child.once('close', (code, signal) => {
      this.ended = signal ?? `exit code ${code}`
      this.emit('change')
    })
  }

  /** A server that listens, or that ended while it started. */
  static async start (settings: ServerSettings): Promise<HostileServer> {
    const server = new HostileServer(settings)
    await until(server, 'change', START_PATIENCE_MS, () => server.port !== 0 || server.ended !== null)
    return server
  }

  /** True where it has ended, or ends within this time: its connections are closed before its end is known here. */
  async endsWithin (ms: number): Promise<boolean> {
    return await until(this, 'change', ms, () => this.ended !== null)
  }

  /** What it holds; null where it does not say so any more. */
  async usage (): Promise<Usage | null> {
    this.#usage = null
    this.#ask('usage')
    await until(this, 'change', USAGE_PATIENCE_MS, () => this.#usage !== null || this.ended !== null)
    return this.#usage
  }

  /** Has it close as an app does. True where it then ended by itself. */
  async close (): Promise<boolean> {
    this.#ask('close')
    return await until(this, 'change', CLOSE_PATIENCE_MS, () => this.ended !== null)
  }

  async kill (): Promise<void> {
    if (this.ended !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
  }

  get hasWarned (): boolean {
    return WARNING.test(this.stderr)
  }

  #ask (what: 'usage' | 'close'): void {
    // It may end at any time.
    if (this.#child.connected) this.#child.send(what, () => {})
  }

  #take (message: Message): void {
    switch (message.kind) {
      case 'listening': this.port = message.port; break
      case 'usage': this.#usage = message; break
      case 'defect': this.defects.push(message.text)
    }
    this.emit('change')
  }
}
