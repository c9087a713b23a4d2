import { createRequire } from 'node:module'
import { join } from 'node:path'
import { SECOND_MS } from '../time'
import { within } from '../timers'
import type { RedisKeyringClient } from '../../types/keyring'
import { Failure, WrongUse } from './failure'

/** Of ioredis and iovalkey, what a command uses. */
interface Client extends RedisKeyringClient {
  connect (): Promise<unknown>
  select (database: string): Promise<unknown>
  disconnect (): void
  on (event: 'error', listener: (error: Error & { code?: string }) => void): unknown
}

type ClientClass = new (url: string, options: object) => Client

const CLIENTS = ['ioredis', 'iovalkey']
const PATIENCE_MS = 5 * SECOND_MS

const DATABASE = /^\/?\d*$/
/** The one that a connection is in from the start. */
const FIRST_DATABASE = '0'
/** What the answer of a server starts with that wants a password first. */
const NO_PASSWORD = 'NOAUTH'

/** The client that one of these folders has installed. Throws `Failure`, which says what to install. */
export function clientClass (folders: readonly string[]): ClientClass {
  for (const folder of folders) {
    const require = createRequire(join(folder, 'package.json'))
    const found = CLIENTS.find(name => isInstalled(require, name))
    if (found !== undefined) return require(found) as ClientClass
  }
  throw new Failure('a ring in Redis needs a client in your project: npm install ioredis')
}

/**
 * A client in the database that the URL names. Throws `Failure` where no server answers, or none lets us in there, with
 * its host and never with the password of the URL.
 */
export async function connectTo (url: URL, Client: ClientClass): Promise<Client> {
  const place = `Redis at ${url.hostname}:${url.port === '' ? '6379' : url.port}`
  const server = new URL(url)
  server.pathname = ''
  const client = new Client(server.href, {
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    maxRetriesPerRequest: 0,
    // It asks for INFO; where the user may not, the client prints a warning of its own.
    enableReadyCheck: false,
    // An operator who waits would rather know, and try again.
    retryStrategy: () => null
  })
  try {
    await connect(client, place)
    await select(client, url.pathname.slice(1) || FIRST_DATABASE, place)
    return client
  } catch (error) {
    client.disconnect()
    throw error
  }
}

async function connect (client: Client, place: string): Promise<void> {
  // The client tells here why it could not connect; what its methods reject with says only that it did not.
  let reason = `no answer for ${PATIENCE_MS / SECOND_MS} seconds`
  client.on('error', ({ message, code }) => { reason = message === '' ? String(code) : message })
  const isConnected = await within(PATIENCE_MS, client.connect().then(() => true, () => false), false)
  if (!isConnected) throw failure(place, 'cannot be reached', reason)
}

/** The client itself would go on in the first database where the server refuses another. */
async function select (client: Client, database: string, place: string): Promise<void> {
  try {
    await client.select(database)
  } catch (error) {
    const { name, message } = error as Error
    // It need not be selected, and some users may not.
    if (database === FIRST_DATABASE && name === 'ReplyError' && !message.startsWith(NO_PASSWORD)) return
    throw failure(place, `did not select database ${database}`, message)
  }
}

function failure (place: string, what: string, reason: string): Failure {
  return new Failure(reason.startsWith(NO_PASSWORD) ? `${place} needs a password: redis://:PASSWORD@host, or redis://USER:PASSWORD@host` : `${place} ${what}: ${reason}`)
}

/**
 * Throws `WrongUse`, which does not quote the text: there may be a password in it.
 * @param wanting who wants a URL, such as `--redis takes`
 */
export function redisUrl (text: string, wanting: string): URL {
  const wanted = `${wanting} a URL such as redis://localhost:6379/0, or rediss:// for TLS`
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') throw new WrongUse(wanted)
  // Then a part of the password was taken for the host.
  if (`${url.pathname}${url.search}${url.hash}`.includes('@')) throw new WrongUse(`${wanted}; special characters of a password must be percent-encoded`)
  if (!DATABASE.test(url.pathname) || url.searchParams.has('db')) throw new WrongUse(`${wanted}; the number after the host is that of the database`)
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
