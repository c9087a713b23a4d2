import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { binaryOf } from './debian'
import { plainEnv } from './process'

const NAMES = ['redis-server', 'valkey-server']
const START_PATIENCE_MS = 10_000

/** A real Redis or Valkey server on a port of its own. It keeps what it was told over a restart. */
export class RedisServer {
  readonly port: number
  readonly url: string
  readonly #args: readonly string[]
  readonly #folder = mkdtempSync(join(tmpdir(), 'redis-'))
  #process: ChildProcess | null = null

  private constructor (port: number, args: readonly string[]) {
    this.port = port
    this.#args = args
    this.url = `redis://127.0.0.1:${port}`
  }

  /** `args` are further ones for the server's command line. */
  static async start ({ args = [] }: { args?: readonly string[] } = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args)
    await server.start()
    return server
  }

  async start (): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', ...this.#args]
    this.#process = spawn(binaryOf(NAMES, 'redis-server'), args, { stdio: 'ignore', env: plainEnv() })
    await listens(this.port)
  }

  /** SIGKILL is a crash, SIGTERM an orderly end. */
  async stop (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process
    if (child === null) return
    this.#process = null
    child.kill('SIGCONT')
    child.kill(signal)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  /** Stops answering and keeps its connections, as a machine that is overloaded or cut off. */
  freeze (): void { this.#process?.kill('SIGSTOP') }
  thaw (): void { this.#process?.kill('SIGCONT') }

  /** Stops it and removes what it kept. */
  async remove (): Promise<void> {
    await this.stop('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** An ioredis client of a server, that says nothing of errors. Gone when the test ends. */
export function clientOf (t: Test, server: { readonly url: string }, options = {}): Redis {
  const client = new Redis(server.url, options)
  client.on('error', () => {})
  t.teardown(() => { client.disconnect() })
  return client
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function listens (port: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_PATIENCE_MS; waitedMs += 20) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    await pause(20)
  }
  throw new Error(`redis-server did not listen on port ${port} within ${START_PATIENCE_MS / 1000} seconds`)
}
