import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseKeyring, type KeyRecord } from '../keyring/document'
import { keyBytes } from '../keyring/key-material'
import { changeKeyring, nameOf, readKeyring } from '../keyring/stored-keyring'
import { fileKeyring, keyringPath } from '../stores/keyring-file'
import { DEFAULT_REDIS_KEY, redisKeyring } from '../stores/keyring-redis'
import { checkWrapping, wrappedKeyring } from '../keyring/wrapped-keyring'
import { reasonOf } from '../store-failure'
import type { KeyringStore, KeyWrapping } from '../../types/keyring'
import { oneOf, WrongUse, type Arguments, type Io, type OptionName } from './command'
import { clientClass, connectTo, redisUrl } from './redis-client'
import { quoted } from './text'

/** The keyring and the keys that the options name. */

export const KEYRING_SOURCES = ['keyring', 'redis', 'redis-env'] as const
export const KEYRING_OPTIONS: readonly OptionName[] = [...KEYRING_SOURCES, 'redis-key', 'others-may-read', 'wrapping']

const VARIABLE_NAME = /^[A-Za-z_]\w{0,39}$/

/** Calls `work` with the keyring, unwrapped, and closes the connection afterwards. @throws WrongUse */
export async function withKeyring<T> (
  args: Arguments, io: Io, work: (store: KeyringStore) => Promise<T>
): Promise<T> {
  const { wrapping } = args
  if (wrapping === undefined) return await withStore(args, io, work)
  const loaded = await loadWrapping(wrapping, io)
  return await withStore(args, io, async store => await work(wrappedKeyring(store, loaded)))
}

/** The wrapping key in the module that --wrapping names. @throws WrongUse, FST_SESSION_INVALID_OPTION */
export async function loadWrapping (path: string | undefined, { cwd }: Io): Promise<KeyWrapping> {
  if (path === undefined) throw new WrongUse('--wrapping FILE is missing')
  const { href } = pathToFileURL(resolve(cwd, path))
  const module = await import(href).catch(error => {
    throw new Error(`the module ${quoted(path)} of --wrapping cannot be loaded: ${reasonOf(error)}`)
  })
  // Of a CommonJS module, Node.js may find only some of the names.
  const wrapping = 'wrap' in module && 'unwrap' in module ? { ...module } : module.default
  return checkWrapping(wrapping, 'the module of --wrapping must export')
}

/** Calls `work` with the store of the keyring, and closes the connection afterwards. @throws WrongUse */
export async function withStore<T> (
  args: Arguments, io: Io, work: (store: KeyringStore) => Promise<T>
): Promise<T> {
  const source = oneOf(args, KEYRING_SOURCES)
  const text = args[source] as string
  if (source === 'keyring') {
    if (args['redis-key'] !== undefined) throw new WrongUse('--redis-key needs --redis or --redis-env')
    return await work(fileKeyring(keyringPath(text, io.cwd), { othersMayRead: args['others-may-read'] === true }))
  }
  if (args['others-may-read'] === true) throw new WrongUse('--others-may-read needs --keyring')
  const url = source === 'redis'
    ? redisUrl(text, '--redis takes')
    : redisUrl(fromEnv(text, source, io), `the environment variable ${text} must hold`)
  const client = await connectTo(url, clientClass([io.cwd, __dirname]))
  try {
    return await work(redisKeyring(client, { key: args['redis-key'] ?? DEFAULT_REDIS_KEY }))
  } finally {
    client.disconnect()
  }
}

export async function readKeys (args: Arguments, io: Io): Promise<KeyRecord[]> {
  return await withKeyring(args, io, async store => parseKeyring(await readKeyring(store), nameOf(store)))
}

/** Changes the keyring; `after` is `before` if `change` returned null. @throws as `changeKeyring` does, too */
export async function changeKeys (
  args: Arguments, io: Io, change: (keys: KeyRecord[], nowMs: number) => KeyRecord[] | null
) {
  let before: KeyRecord[] = []
  let nowMs = NaN
  return await withKeyring(args, io, async store => {
    const written = await changeKeyring(store, keys => {
      before = keys
      // After the read, which may have taken seconds.
      nowMs = io.now()
      return change(keys, nowMs)
    })
    return { name: nameOf(store), before, after: written ?? before, nowMs }
  })
}

/** The key in an environment variable. @throws WrongUse, FST_SESSION_INVALID_KEY */
export function keyFromEnv (name: string, io: Io): Buffer {
  return keyBytes(fromEnv(name, 'key-env', io), `the environment variable ${name}`)
}

/** A text that is not a name may be the secret itself, so it is not in the message. @throws WrongUse */
function fromEnv (name: string, option: OptionName, { env }: Io): string {
  if (!VARIABLE_NAME.test(name)) throw new WrongUse(`--${option} takes the name of an environment variable`)
  const text = env[name]
  if (text === undefined) throw new Error(`the environment variable ${name} is not set`)
  return text
}
