import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { plainEnv } from '../helpers/process'
import { RECHECK_MS } from './revocation-oracle'

export interface RevocationServerSettings {
  readonly name: string
  readonly package: string
  readonly port: number
  readonly redis: string
  /** Options of its client. */
  readonly client: object
  readonly timeout: string
}

type Message = { readonly kind: 'listening' } | { readonly kind: 'warning', readonly text: string, readonly aboutStore: boolean }

/** A server process, seen from the parent. */
export class RevocationServer {
  readonly name: string
  readonly port: number
  isUp = false
  readonly #settings: RevocationServerSettings
  readonly #warned: (text: string, aboutStore: boolean) => void
  #child: ChildProcess | null = null

  constructor (settings: RevocationServerSettings, warned: (text: string, aboutStore: boolean) => void) {
    this.name = settings.name
    this.port = settings.port
    this.#settings = settings
    this.#warned = warned
  }

  async start (): Promise<void> {
    const recheck = Object.fromEntries(Object.entries(RECHECK_MS).map(([kind, ms]) => [kind, ms === 0 ? 0 : `${ms}ms`]))
    const child = fork(join(__dirname, 'revocation-process.js'), [JSON.stringify({ ...this.#settings, recheck })], { env: plainEnv({ NODE_ENV: 'production' }), execArgv: [] })
    this.#child = child
    const listening = new Promise<void>((resolve, reject) => {
      child.on('message', (message: Message) => {
        if (message.kind === 'warning') this.#warned(message.text, message.aboutStore)
        else resolve()
      })
      child.once('exit', (code, signal) => {
        reject(new Error(`${this.name} did not start`))
        if (this.#child !== child) return
        this.#child = null
        this.isUp = false
        this.#warned(`ended by itself, with ${signal ?? `exit code ${code}`}`, false)
      })
    })
    await listening
    this.isUp = true
  }

  /** It gets no time for anything, and forgets all it has heard. */
  async kill (): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#child = null
    this.isUp = false
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}
