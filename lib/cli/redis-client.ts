import { createRequire } from 'node:module'
import { join } from 'node:path'
import { SECOND_MS } from '../time'
import { within } from '../timers'
import type { RedisKeyringClient } from '../../types/keyring'
import { Failure, WrongUse } from './failure'

/** Of ioredis and iovalkey, what a command uses. */
interface Client extends RedisKeyringClient {
  connect (): Promise<unknown>
  disconnect (): void
  on (event: 'error', listener: (error: Error & { code?: string }) => void): unknown
}

type ClientClass = new (url: string, options: object) => Client

const CLIENTS = ['ioredis', 'iovalkey']
const PATIENCE_MS = 5 * SECOND_MS

/** The client that one of these folders has installed. Throws `Failure`, which says what to install. */
export function clientClass (folders: readonly string[]): ClientClass {
  for (const folder of folders) {
    const require = createRequire(join(folder, 'package.json'))
    const found = CLIENTS.find(name => isInstalled(require, name))
    if (found !== undefined) return require(found) as ClientClass
  }
  throw new Failure('--redis needs a client in your project: npm install ioredis')
}

/** Throws `Failure` where no server answers, with its host and never with the password of the URL. */
export async function connectTo (url: URL, Client: ClientClass): Promise<Client> {
  const client = new Client(url.href, {
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    maxRetriesPerRequest: 0,
    // An operator who waits would rather know, and try again.
    retryStrategy: () => null
  })
  // The client tells here why it could not connect; what its methods reject with says only that it did not.
  let reason = `no answer for ${PATIENCE_MS / SECOND_MS} seconds`
  client.on('error', ({ message, code }) => { reason = message === '' ? String(code) : message })
  try {
    if (await within(PATIENCE_MS, client.connect().then(() => true)) === true) return client
  } catch {
    // As told above.
  }
  client.disconnect()
  throw new Failure(`Redis at ${url.hostname}:${url.port === '' ? '6379' : url.port} cannot be reached: ${reason}`)
}

/** Throws `WrongUse`, which does not quote it: there may be a password in it. */
export function redisUrl (text: string): URL {
  const wanted = '--redis takes a URL such as redis://localhost:6379/0, or rediss:// for TLS'
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') throw new WrongUse(wanted)
  // Then a part of the password was taken for the host.
  if (`${url.pathname}${url.search}${url.hash}`.includes('@')) throw new WrongUse(`${wanted}; special characters of a password must be percent-encoded`)
  return url
}

function isInstalled (require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}
