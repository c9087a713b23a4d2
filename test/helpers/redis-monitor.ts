import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'

/** What clients send for the sake of the connection, and the mark of this helper. */
const NOT_ABOUT_DATA = ['info', 'client', 'cluster', 'hello', 'readonly', 'ping', 'quit', 'select', 'echo', 'monitor']

/** Every command about data that clients send to a server, in its order. What scripts do on the server is not among them. */
export class RedisMonitor {
  readonly #client: Redis
  readonly #monitor: Redis
  readonly #marks = new EventEmitter()
  #commands: string[][] = []

  private constructor (client: Redis, monitor: Redis) {
    this.#client = client
    this.#monitor = monitor
    monitor.on('monitor', (_time: string, command: string[], source: string) => {
      const name = command[0]?.toLowerCase() as string
      if (name === 'echo') this.#marks.emit(command[1] as string)
      if (source !== 'lua' && !NOT_ABOUT_DATA.includes(name)) this.#commands.push([name, ...command.slice(1)])
    })
  }

  static async of ({ url }: { readonly url: string }): Promise<RedisMonitor> {
    const client = new Redis(url)
    return new RedisMonitor(client, await client.monitor())
  }

  /** All that came since the last time this was asked. */
  async take (): Promise<string[][]> {
    const mark = randomUUID()
    const seen = once(this.#marks, mark)
    await this.#client.echo(mark)
    await seen
    const commands = this.#commands
    this.#commands = []
    return commands
  }

  stop (): void {
    this.#client.disconnect()
    this.#monitor.disconnect()
  }
}
