import { resolve } from 'node:path'
import { parseKeyring, type KeyRecord } from '../keyring/document'
import { nameOf, readKeyring } from '../keyring/stored-keyring'
import { fileKeyring } from '../stores/keyring-file'
import { DEFAULT_REDIS_KEY, redisKeyring } from '../stores/keyring-redis'
import type { KeyringStore } from '../../types/keyring'
import type { Arguments } from './arguments'
import type { Io } from './command'
import { WrongUse } from './failure'
import { clientClass, connectTo, redisUrl } from './redis-client'

/** Does some work with the keyring that the options name, and lets go of it. Throws `WrongUse` unless they name exactly one. */
export async function withRing<T> (args: Arguments, { cwd }: Io, work: (store: KeyringStore) => Promise<T>): Promise<T> {
  const source = oneOf(args, ['keyring', 'redis'])
  if (args.has('redis-key') && source !== 'redis') throw new WrongUse('--redis-key goes with --redis')
  if (args.has('others-may-read') && source !== 'keyring') throw new WrongUse('--others-may-read goes with --keyring')
  const where = args.text(source) as string
  if (source === 'keyring') return await work(fileStore(where, cwd, args.has('others-may-read')))
  const url = redisUrl(where)
  const client = await connectTo(url, clientClass([cwd, __dirname]))
  try {
    return await work(redisKeyring(client, { key: args.text('redis-key') ?? DEFAULT_REDIS_KEY }))
  } finally {
    client.disconnect()
  }
}

/** The one of these options that was given. Throws `WrongUse`. */
export function oneOf (args: Arguments, names: readonly string[]): string {
  const [given, ...others] = names.filter(name => args.has(name))
  const wanted = names.map(name => `--${name}`).join(' or ')
  if (given === undefined) throw new WrongUse(`which keyring? Give ${wanted}`)
  if (others.length > 0) throw new WrongUse(`give only one of ${wanted}`)
  return given
}

/** The keys of the ring, as they are now. */
export async function keysIn (store: KeyringStore): Promise<KeyRecord[]> {
  return parseKeyring(await readKeyring(store), nameOf(store))
}

function fileStore (path: string, cwd: string, othersMayRead: boolean): KeyringStore {
  try {
    return fileKeyring(path.startsWith('file:') ? path : resolve(cwd, path), { othersMayRead })
  } catch {
    throw new WrongUse('--keyring takes a path, or a URL such as file:///srv/app/keys.json')
  }
}
