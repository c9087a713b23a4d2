import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { plainEnv } from '../helpers/process'

export interface WriterSettings {
  readonly package: string
  readonly file: string | null
  readonly redis: string | null
  /** One key after the other, or one when it is told to. */
  readonly forEver: boolean
}

/** A process that adds keys to a ring. Emits 'line' for each line it says. */
export class Writer extends EventEmitter {
  /** Ids of the keys it says it has written. */
  readonly written: string[] = []
  /** How long each took. */
  readonly tookMs: number[] = []
  /** It began to add a key and has not said that it did. */
  isWriting = false
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #ready: Promise<unknown>

  constructor (settings: WriterSettings) {
    super()
    this.#child = fork(join(__dirname, 'ring-writer.js'), [JSON.stringify(settings)], { env: plainEnv(), execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    // With 'close' all that it said has come, too.
    this.#ended = once(this.#child, 'close')
    this.#ready = Promise.race([once(this.#child, 'message'), this.#ended])
    this.#listen(this.#child.stdout as Readable)
  }

  /** Resolves once it waits to be told. */
  async ready (): Promise<void> {
    await this.#ready
  }

  /** Has it add its one key; resolves once it ended. */
  async addKey (): Promise<void> {
    if (this.#child.connected) this.#child.send('go')
    await this.#ended
  }

  async kill (): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #listen (stdout: Readable): void {
    let text = ''
    stdout.setEncoding('utf8')
    stdout.on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n')
      text = lines.pop() as string
      for (const line of lines) this.#hear(line)
    })
  }

  #hear (line: string): void {
    const [word, id, ms] = line.split(' ')
    this.isWriting = word === 'begin'
    if (word === 'ok') {
      this.written.push(id as string)
      this.tookMs.push(Number(ms))
    }
    this.emit('line')
  }
}
