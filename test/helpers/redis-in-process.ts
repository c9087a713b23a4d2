import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

type Reply = string | number | null | Error | { readonly status: string } | readonly Reply[]

interface Held {
  readonly value: string | string[]
  readonly endMs: number | null
}

interface Connection {
  readonly socket: Socket
  database: number
  isAllowed: boolean
}

const DATABASES = 16
/** What PTTL answers for a key that does not expire, and for one that is not there. */
const FOREVER_MS = -1
const NO_KEY_MS = -2
const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'

const OK = { status: 'OK' }

/**
 * A server in this process that speaks the protocol of Redis and knows the commands and the scripts that the library sends, and what
 * its tests ask of it. The group `services` runs the same tests against a real Redis.
 */
export class RedisInProcess {
  #port = 0
  #server: Server | null = null
  readonly #connections = new Set<Connection>()
  readonly #monitors = new Set<Socket>()
  readonly #databases: ReadonlyArray<Map<string, Held>> = Array.from({ length: DATABASES }, () => new Map())
  #password = ''

  static async start (): Promise<RedisInProcess> {
    const server = new RedisInProcess()
    await server.start()
    return server
  }

  get port (): number { return this.#port }
  get url (): string { return `redis://127.0.0.1:${this.#port}` }

  /** On the same port as before, with what was there when it stopped. */
  async start (): Promise<void> {
    this.#server = createServer(socket => { this.#serve(socket) }).listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async stop (): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server === null) return
    server.close()
    for (const { socket } of this.#connections) socket.destroy()
    await once(server, 'close')
  }

  async remove (): Promise<void> { await this.stop() }

  #serve (socket: Socket): void {
    const connection = { socket, database: 0, isAllowed: this.#password === '' }
    this.#connections.add(connection)
    socket.on('close', () => {
      this.#connections.delete(connection)
      this.#monitors.delete(socket)
    })
    socket.on('error', () => {})
    let received = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      for (let found = commandIn(received); found !== null; found = commandIn(received)) {
        received = received.slice(found.length)
        socket.write(written(this.#answer(connection, found.command)), 'latin1')
      }
    })
  }

  #answer (connection: Connection, command: readonly string[]): Reply {
    const name = command[0]?.toUpperCase() ?? ''
    const args = command.slice(1)
    // A client then speaks the older version of the protocol, as with Redis 5.
    if (name === 'HELLO') return new Error("ERR unknown command 'HELLO'")
    if (name === 'AUTH') connection.isAllowed = args.at(-1) === this.#password
    if (!connection.isAllowed) return new Error(name === 'AUTH' ? 'WRONGPASS invalid username-password pair' : 'NOAUTH Authentication required.')
    this.#tell(connection, command)
    try {
      return this.#run(name, args, connection)
    } catch (error) {
      return error as Error
    }
  }

  #run (name: string, args: readonly string[], connection: Connection): Reply {
    const data = this.#databases[connection.database] as Map<string, Held>
    const [first = '', second = ''] = args
    switch (name) {
      case 'PING': return { status: 'PONG' }
      case 'AUTH': return OK
      case 'ECHO': return first
      case 'CLIENT': return OK
      case 'INFO': return 'redis_version:7.0.0\r\n'
      case 'CONFIG': this.#password = args[2] ?? ''; return OK
      case 'FLUSHALL': for (const each of this.#databases) each.clear(); return OK
      case 'MONITOR': this.#monitors.add(connection.socket); return OK
      case 'SELECT': {
        if (!(Number(first) < DATABASES)) return new Error('ERR DB index is out of range')
        connection.database = Number(first)
        return OK
      }
      case 'GET': return textAt(data, first)
      case 'SET': data.set(first, { value: second, endMs: null }); return OK
      case 'DEL': return data.delete(first) ? 1 : 0
      case 'LPUSH': data.set(first, { value: args.slice(1), endMs: null }); return args.length - 1
      case 'KEYS': return [...data.keys()].filter(key => first === '*' || key.startsWith(first.replace(/\*$/, '')))
      case 'PTTL': return leftMs(data, first)
      case 'EVAL': return script(data, first, args.slice(2))
      default: return new Error(`ERR unknown command '${name}'`)
    }
  }

  #tell ({ socket }: Connection, command: readonly string[]): void {
    const words = command.map(word => JSON.stringify(word)).join(' ')
    for (const monitor of this.#monitors) monitor.write(`+${Date.now() / 1000} [0 127.0.0.1:${socket.remotePort ?? 0}] ${words}\r\n`, 'latin1')
  }
}

/** What the scripts of the library do. */
function script (data: Map<string, Held>, source: string, [key = '', ...args]: readonly string[]): Reply {
  const held = textAt(data, key)
  if (source.includes("redis.call('PTTL', KEYS[1])")) {
    const [cutOff = '', keepForMs = ''] = args
    if (!/^\d+$/.test(held ?? '0')) return new Error('ERR the value in Redis is not a cut-off')
    const largest = Number(held ?? '0') < Number(cutOff) ? cutOff : held ?? '0'
    const left = leftMs(data, key)
    data.set(key, { value: largest, endMs: left === FOREVER_MS ? null : Date.now() + Math.max(left, Number(keepForMs)) })
    return held ?? '0'
  }
  if (source.includes("redis.call('GET', KEYS[1]) ~= (ARGV[2] or false)")) {
    const [next = '', expected = null] = args
    if (held !== expected) return 0
    data.set(key, { value: next, endMs: null })
    return 1
  }
  if (source.includes("if not held then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end")) {
    const [holder = '', forMs = ''] = args
    if (held === null) data.set(key, { value: holder, endMs: Date.now() + Number(forMs) })
    return held
  }
  if (source.includes('if held and held ~= ARGV[1] then return 0 end')) {
    const [holder = '', result = '', forMs = ''] = args
    if (held !== null && held !== holder) return 0
    data.set(key, { value: result, endMs: Date.now() + Number(forMs) })
    return 1
  }
  if (source.includes("return redis.call('PEXPIRE', KEYS[1], ARGV[2])")) {
    const [holder = '', forMs = ''] = args
    if (held !== holder) return 0
    data.set(key, { value: holder, endMs: Date.now() + Number(forMs) })
    return 1
  }
  if (source.includes("return redis.call('DEL', KEYS[1])")) {
    return held === args[0] && data.delete(key) ? 1 : 0
  }
  return new Error('ERR this script is not known here')
}

function textAt (data: Map<string, Held>, key: string): string | null {
  const held = data.get(key)
  if (held === undefined || (held.endMs !== null && held.endMs <= Date.now())) return null
  if (typeof held.value !== 'string') throw new Error(WRONG_TYPE)
  return held.value
}

function leftMs (data: Map<string, Held>, key: string): number {
  const held = data.get(key)
  if (held === undefined || (held.endMs !== null && held.endMs <= Date.now())) return NO_KEY_MS
  return held.endMs === null ? FOREVER_MS : held.endMs - Date.now()
}

/** The command that this text begins with, if all of it is there. */
function commandIn (text: string): { command: string[], length: number } | null {
  const count = /^\*(\d+)\r\n/.exec(text)
  if (count === null) return null
  const command: string[] = []
  let at = count[0].length
  while (command.length < Number(count[1])) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20))
    if (size === null) return null
    const start = at + size[0].length
    at = start + Number(size[1]) + 2
    if (text.length < at) return null
    command.push(Buffer.from(text.slice(start, at - 2), 'latin1').toString())
  }
  return { command, length: at }
}

function written (reply: Reply): string {
  if (reply === null) return '$-1\r\n'
  if (typeof reply === 'number') return `:${reply}\r\n`
  if (reply instanceof Error) return `-${reply.message}\r\n`
  if (typeof reply === 'object') return 'status' in reply ? `+${reply.status}\r\n` : `*${reply.length}\r\n${reply.map(written).join('')}`
  const text = Buffer.from(reply).toString('latin1')
  return `$${text.length}\r\n${text}\r\n`
}
