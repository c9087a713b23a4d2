import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

interface Version {
  readonly data: object
  readonly createdTime: string
  deletionTime: string
}

const DATA_PATH = '/v1/secret/data/'
const LONGEST_PAUSE_MS = 5

/**
 * What a keyring asks of Vault's key/value engine, version 2, mounted at `secret`: reading the latest version and writing
 * one with check-and-set, with the answers that Vault gives. Each takes its time, so that requests overtake each other.
 */
export class VaultServer {
  readonly token = 'hvs.of-the-test'
  readonly #server: Server
  readonly #secrets = new Map<string, Version[]>()
  /** Writes that were refused, since another one came between. */
  conflicts = 0
  isSealed = false

  private constructor () {
    this.#server = createServer((request, response) => { this.#answer(request, response).catch(() => { response.destroy() }) })
  }

  static async start (): Promise<VaultServer> {
    const vault = new VaultServer()
    await once(vault.#server.listen(0, '127.0.0.1'), 'listening')
    return vault
  }

  get address (): string { return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` }

  stop (): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  versionsOf (path: string): number { return this.#secrets.get(path)?.length ?? 0 }

  /** Marks the latest version as deleted, as `vault kv delete` does; its number stays. */
  softDelete (path: string): void {
    const latest = this.#secrets.get(path)?.at(-1)
    if (latest !== undefined) latest.deletionTime = new Date().toISOString()
  }

  async #answer (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    await pause(Math.random() * LONGEST_PAUSE_MS)
    const { status, body } = this.#handle(request, Buffer.concat(chunks).toString())
    await pause(Math.random() * LONGEST_PAUSE_MS)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  #handle ({ method, url = '', headers }: IncomingMessage, text: string): { status: number, body: object } {
    if (this.isSealed) return failure(503, 'Vault is sealed')
    if (headers['x-vault-token'] !== this.token) return failure(403, 'permission denied')
    if (!url.startsWith(DATA_PATH)) return failure(404, `no handler for route "${url}". route entry not found.`)
    const path = url.slice(DATA_PATH.length)
    if (method === 'GET') return this.#read(path)
    return method === 'POST' || method === 'PUT' ? this.#write(path, text) : failure(405, 'unsupported operation')
  }

  #read (path: string): { status: number, body: object } {
    const versions = this.#secrets.get(path)
    const latest = versions?.at(-1)
    if (versions === undefined || latest === undefined) return failure(404)
    const isDeleted = latest.deletionTime !== ''
    const data = { data: isDeleted ? null : latest.data, metadata: metadataOf(latest, versions.length) }
    return { status: isDeleted ? 404 : 200, body: { data } }
  }

  #write (path: string, text: string): { status: number, body: object } {
    const { data, options } = JSON.parse(text) as { data?: object, options?: { cas?: number } }
    if (typeof data !== 'object') return failure(400, 'no data provided')
    const versions = this.#secrets.get(path) ?? []
    if (options?.cas !== undefined && options.cas !== versions.length) {
      this.conflicts++
      return failure(400, 'check-and-set parameter did not match the current version')
    }
    const version = { data, createdTime: new Date().toISOString(), deletionTime: '' }
    this.#secrets.set(path, [...versions, version])
    return { status: 200, body: { data: metadataOf(version, versions.length + 1) } }
  }
}

function metadataOf ({ createdTime, deletionTime }: Version, version: number): object {
  return { version, created_time: createdTime, deletion_time: deletionTime, destroyed: false, custom_metadata: null }
}

function failure (status: number, ...errors: string[]): { status: number, body: object } {
  return { status, body: { errors } }
}
