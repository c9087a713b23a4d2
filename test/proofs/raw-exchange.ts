import { connect as connectPlain, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { readAnswers, type Answers } from './http1-answers'

/** What a client does on a connection, one after the other. */
export type Part =
  | { readonly send: string }
  | { readonly pauseMs: number }
  /** Waits until something comes, for so long at most. */
  | { readonly untilAnswerMs: number }
  | { readonly then: 'end' | 'destroy' }

export interface Where {
  readonly port: number
  readonly isTls: boolean
}

export interface Came extends Answers {
  /** All that came, in latin1. */
  readonly bytes: string
  /** The connection is closed, or was never there. */
  readonly isClosed: boolean
  /** There was no answer to each request in time, and the connection was open still. */
  readonly isLate: boolean
}

const LINGER_MS = 15

/** A connection on which bytes are sent as they are. */
class Connection {
  bytes = ''
  isClosed = false
  readonly #socket: Socket
  #changed: () => void = () => {}

  constructor ({ port, isTls }: Where) {
    const host = '127.0.0.1'
    this.#socket = isTls
      ? connectTls({ port, host, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
      : connectPlain({ port, host })
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (data: Buffer) => { this.bytes += data.toString('latin1'); this.#changed() })
    // Refused, reset or ended: the server may do so at any time.
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => { this.isClosed = true; this.#changed() })
  }

  async play (part: Part): Promise<void> {
    if (this.isClosed) return
    if ('send' in part) await this.#send(part.send)
    else if ('pauseMs' in part) await pause(part.pauseMs)
    else if ('untilAnswerMs' in part) await this.until(() => this.bytes !== '', part.untilAnswerMs)
    else if (part.then === 'end') this.#socket.end()
    else this.#socket.destroy()
  }

  /** True once this holds or the connection is closed; false where neither comes within this time. */
  async until (holds: () => boolean, ms: number): Promise<boolean> {
    if (holds() || this.isClosed) return true
    return await new Promise(resolve => {
      const done = (isMet: boolean): void => {
        clearTimeout(timer)
        this.#changed = () => {}
        resolve(isMet)
      }
      const timer = setTimeout(() => { done(false) }, ms)
      this.#changed = () => { if (holds() || this.isClosed) done(true) }
    })
  }

  destroy (): void {
    this.#socket.destroy()
  }

  async #send (text: string): Promise<void> {
    await new Promise<void>(resolve => {
      // Where it was closed meanwhile, nothing is sent, and nothing is wrong.
      const timer = setTimeout(resolve, 500)
      this.#socket.write(text, 'latin1', () => { clearTimeout(timer); resolve() })
    })
  }
}

/**
 * Plays these parts, and waits until there is an answer to each of these requests or the connection is closed.
 * @param methods of the requests; null where no answer is owed, and none is waited for
 * @param ms for how long it waits
 */
export async function exchange (
  where: Where, parts: readonly Part[], methods: readonly string[] | null, ms: number
): Promise<Came> {
  const connection = new Connection(where)
  try {
    for (const part of parts) await connection.play(part)
    const read = (): Answers => readAnswers(connection.bytes, methods ?? [], connection.isClosed)
    const isAnswered = (): boolean => {
      const { answers } = read()
      return methods !== null && answers.length >= methods.length && answers.every(({ isWhole }) => isWhole)
    }
    const isInTime = methods === null || await connection.until(isAnswered, ms)
    // A second answer, if there were one, would follow at once.
    await connection.until(() => false, LINGER_MS)
    return { ...read(), bytes: connection.bytes, isClosed: connection.isClosed, isLate: !isInTime }
  } finally {
    connection.destroy()
  }
}
