import { parseKeyring, type KeyRecord } from '../keyring/document'
import { changeKeyring, nameOf, readKeyring } from '../keyring/stored-keyring'
import { fileKeyring, keyringPath } from '../stores/keyring-file'
import { DEFAULT_REDIS_KEY, redisKeyring } from '../stores/keyring-redis'
import type { KeyringStore } from '../../types/keyring'
import type { Arguments } from './arguments'
import type { Io } from './command'
import { textFromEnv } from './environment'
import { WrongUse } from './failure'
import { KEYRING_OPTION, OTHERS_MAY_READ_OPTION, REDIS_ENV_OPTION, REDIS_KEY_OPTION, REDIS_OPTION } from './options'
import { clientClass, connectTo, redisUrl } from './redis-client'

/** The options that name a ring, of which one must be given. */
export const RING_SOURCES = [KEYRING_OPTION, REDIS_OPTION, REDIS_ENV_OPTION].map(({ name }) => name)

/** Does some work with the keyring that the options name, and lets go of it. Throws `WrongUse` unless they name exactly one. */
export async function withRing<T> (args: Arguments, io: Io, work: (store: KeyringStore) => Promise<T>): Promise<T> {
  const source = oneOf(args, RING_SOURCES)
  const isFile = source === KEYRING_OPTION.name
  const othersMayRead = args.has(OTHERS_MAY_READ_OPTION.name)
  if (isFile && args.has(REDIS_KEY_OPTION.name)) throw new WrongUse('--redis-key goes with --redis or --redis-env')
  if (!isFile && othersMayRead) throw new WrongUse('--others-may-read goes with --keyring')
  const where = args.text(source) as string
  if (isFile) return await work(fileKeyring(filePath(where, io), { othersMayRead }))
  const url = source === REDIS_OPTION.name ? redisUrl(where, '--redis takes') : urlFromEnv(where, io)
  const client = await connectTo(url, clientClass([io.cwd, __dirname]))
  try {
    return await work(redisKeyring(client, { key: args.text(REDIS_KEY_OPTION.name) ?? DEFAULT_REDIS_KEY }))
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

export interface RingChange {
  /** What messages call the ring. */
  readonly name: string
  readonly before: readonly KeyRecord[]
  /** The same as `before` where there was nothing to do. */
  readonly after: readonly KeyRecord[]
  /** The time of the change. */
  readonly nowMs: number
}

/** Changes the ring that the options name. Throws as `withRing` and `changeKeyring` do. */
export async function changeRing (args: Arguments, io: Io, change: (keys: KeyRecord[], nowMs: number) => KeyRecord[] | null): Promise<RingChange> {
  return await withRing(args, io, async store => {
    let found: Pick<RingChange, 'before' | 'nowMs'> = { before: [], nowMs: NaN }
    const written = await changeKeyring(store, keys => {
      // The time is taken here, since the way to the store may have been long.
      found = { before: keys, nowMs: io.now() }
      return change(keys, found.nowMs)
    })
    return { ...found, name: nameOf(store), after: written ?? found.before }
  })
}

/** Throws `WrongUse` for what is no path, without saying it: it may be a key, or hold a password. */
function filePath (text: string, { cwd }: Io): string {
  try {
    return keyringPath(text, cwd)
  } catch {
    throw new WrongUse('--keyring takes a path, or a URL such as file:///srv/app/keys.json; a ring in Redis goes with --redis, and a key with init --key-env')
  }
}

function urlFromEnv (name: string, io: Io): URL {
  return redisUrl(textFromEnv(name, `--${REDIS_ENV_OPTION.name}`, 'REDIS_URL', io), `the environment variable ${name} must hold`)
}
