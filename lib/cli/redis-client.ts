import { SECOND_MS } from '../time'
import type { RedisKeyringClient } from '../../types/keyring'
import { WrongUse } from './command'

/** What the commands use of ioredis and iovalkey. */
interface Client extends RedisKeyringClient {
  connect (): Promise<unknown>
  select (database: string): Promise<unknown>
  disconnect (): void
  on (event: 'error', listener: (error: Error & { code?: string }) => void): unknown
}

type ClientClass = new (url: string, options: object) => Client

const TIMEOUT_MS = 5 * SECOND_MS

/** The client that is installed for one of these folders. */
export function clientClass (folders: readonly string[]): ClientClass {
  const [path] = folders.flatMap(folder => ['ioredis', 'iovalkey'].flatMap(name => {
    try {
      return require.resolve(name, { paths: [folder] })
    } catch {
      return []
    }
  }))
  if (path === undefined) throw new Error('a keyring in Redis needs a client in your project: npm install ioredis')
  return require(path) as ClientClass
}

/** A client that uses the database of the URL. Its errors do not contain the password. */
export async function connectTo (url: URL, Client: ClientClass): Promise<Client> {
  const database = url.pathname.slice(1)
  const server = Object.assign(new URL(url), { pathname: '', port: url.port === '' ? '6379' : url.port })
  const client = new Client(server.href, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    // The check calls INFO. If the ACL forbids it, the client prints a warning.
    enableReadyCheck: false,
    retryStrategy: () => null
  })
  // Only this event has the reason of a failed connection. What connect() rejects with does not.
  let reason = ''
  client.on('error', ({ message, code }) => { reason = message === '' ? String(code) : message })
  let failure = 'cannot be reached'
  try {
    await client.connect()
    failure = `did not select database ${database}`
    // Selected here: a client that the server refused the database continues with the first one.
    if (Number(database) > 0) await client.select(database)
    return client
  } catch (error) {
    client.disconnect()
    throw new Error(`Redis at ${server.host} ${failure}: ${reason === '' ? (error as Error).message : reason}`)
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
