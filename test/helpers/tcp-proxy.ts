import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * How the way to a server is. Stuck: it looks open, and nothing arrives until it is. Answering: the server is not asked, and
 * this error is the answer to each command of Redis.
 */
export type Way =
  | { readonly kind: 'open' }
  | { readonly kind: 'slow', readonly ms: number }
  | { readonly kind: 'stuck', readonly untilOpen: Promise<unknown> }
  | { readonly kind: 'answering', readonly error: string }

const OPEN: Way = { kind: 'open' }

/** Stands between clients and a server, and makes the way between them what a test wants it to be. */
export class TcpProxy {
  #way: Way = OPEN
  #unstick = (): void => {}
  /** Where new connections go. */
  target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor (target: number) {
    this.target = target
    this.#server = createServer(client => { this.#join(client) })
  }

  static async to (port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port (): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url (): string {
    return `redis://127.0.0.1:${this.port}`
  }

  open (): void {
    this.#way = OPEN
    this.#unstick()
  }

  slowDown (ms: number): void {
    this.#way = { kind: 'slow', ms }
  }

  answer (error: string): void {
    this.#way = { kind: 'answering', error }
  }

  stick (): void {
    const untilOpen = new Promise<void>(resolve => { this.#unstick = resolve })
    this.#way = { kind: 'stuck', untilOpen }
  }

  /** Ends all connections, as a network does that forgot them. */
  cut (): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close (): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join (client: Socket): void {
    const server = connect(this.target, '127.0.0.1')
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    const [questions, answers] = [this.#inOrder(server), this.#inOrder(client)]
    client.on('data', bytes => {
      if (this.#way.kind === 'answering') answers(Buffer.from(`-${this.#way.error}\r\n`.repeat(commandsIn(bytes))))
      else questions(bytes)
    })
    server.on('data', answers)
  }

  /** Nothing overtakes what went before it, as in any connection. */
  #inOrder (to: Socket): (bytes: Buffer) => void {
    let last: Promise<unknown> = Promise.resolve()
    return bytes => {
      last = Promise.all([last, this.#wait()]).then(() => { to.write(bytes) })
    }
  }

  async #wait (): Promise<void> {
    if (this.#way.kind === 'slow') await pause(this.#way.ms, undefined, { ref: false })
    if (this.#way.kind === 'stuck') await this.#way.untilOpen
  }
}

/** In the protocol a command is an array. Small ones come whole. */
function commandsIn (bytes: Buffer): number {
  return bytes.toString('latin1').match(/(^|\r\n)\*\d+\r\n/g)?.length ?? 0
}
