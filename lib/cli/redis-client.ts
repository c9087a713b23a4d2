import { SECOND_MS } from '../time'
import { within } from '../timers'
import type { RedisKeyringClient } from '../../types/keyring'
import { Failure, WrongUse } from './errors'

/** What the commands use of ioredis and iovalkey. */
interface Client extends RedisKeyringClient {
  connect (): Promise<unknown>
  select (database: string): Promise<unknown>
  disconnect (): void
  on (event: 'error', listener: (error: Error & { code?: string }) => void): unknown
}

type ClientClass = new (url: string, options: object) => Client

const PACKAGES = ['ioredis', 'iovalkey']
const TIMEOUT_MS = 5 * SECOND_MS
/** A new connection uses this database. */
const FIRST_DATABASE = '0'
/** The reply of a server that requires a password. */
const NO_PASSWORD = 'NOAUTH'

/** The client that is installed for one of these folders. @throws Failure */
export function clientClass (folders: readonly string[]): ClientClass {
  for (const [folder, name] of folders.flatMap(folder => PACKAGES.map(name => [folder, name] as const))) {
    let path: string
    try {
      path = require.resolve(name, { paths: [folder] })
    } catch {
      continue
    }
    return require(path) as ClientClass
  }
  throw new Failure('a keyring in Redis needs a client in your project: npm install ioredis')
}

/** A client that uses the database of the URL. @throws Failure, without the password */
export async function connectTo (url: URL, Client: ClientClass): Promise<Client> {
  const server = new URL(url)
  server.pathname = ''
  const client = new Client(server.href, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    // The check calls INFO. If the ACL forbids it, the client prints a warning.
    enableReadyCheck: false,
    retryStrategy: () => null
  })
  const reason = await connect(client, url.pathname.slice(1) || FIRST_DATABASE)
  if (reason === null) return client
  client.disconnect()
  const isPasswordMissing = reason.includes(NO_PASSWORD)
  const text = isPasswordMissing ? 'needs a password: redis://:PASSWORD@host, or redis://USER:PASSWORD@host' : reason
  throw new Failure(`Redis at ${url.hostname}:${url.port === '' ? '6379' : url.port} ${text}`)
}

/** Connects and selects the database. Resolves to null, or to the reason of the failure. */
async function connect (client: Client, database: string): Promise<string | null> {
  // Only this event has the reason of a failed connection. What connect() rejects with does not.
  let reason = `no reply for ${TIMEOUT_MS / SECOND_MS} seconds`
  client.on('error', ({ message, code }) => { reason = message === '' ? String(code) : message })
  const isConnected = await within(TIMEOUT_MS, client.connect().then(() => true, () => false), false)
  if (!isConnected) return `cannot be reached: ${reason}`
  try {
    // Without this, a client that the server refused the database continues with the first one.
    await client.select(database)
    return null
  } catch (error) {
    const { name, message } = error as Error
    // The ACL may forbid SELECT, which the first database does not need.
    if (database === FIRST_DATABASE && name === 'ReplyError' && !message.startsWith(NO_PASSWORD)) return null
    return `did not select database ${database}: ${message}`
  }
}

/** @throws WrongUse without the text, which may contain a password */
export function redisUrl (text: string, subject: string): URL {
  const url = URL.canParse(text) ? new URL(text) : new URL('none:')
  const isRedis = ['redis:', 'rediss:'].includes(url.protocol) && url.hostname !== '' && /^\/?\d*$/.test(url.pathname)
  // With an "@" here, a part of the password was taken for the host.
  if (isRedis && !url.searchParams.has('db') && !`${url.search}${url.hash}`.includes('@')) return url
  throw new WrongUse(`${subject} a URL such as redis://localhost:6379/0, or rediss:// for TLS. ` +
    'The last number is that of the database; special characters of a password must be percent-encoded')
}
