import { keyBytes } from '../keyring/key-material'
import type { Io } from './command'
import { Failure, WrongUse } from './failure'

const SEPARATOR = ','
const NAME = /^[A-Za-z_]\w{0,39}$/

/** The keys in environment variables whose names are separated by commas. Throws as `keyFromEnv` does. */
export function keysFromEnv (names: string, io: Io): Buffer[] {
  return names.split(SEPARATOR).map(name => keyFromEnv(name, io))
}

/**
 * The key in an environment variable. Throws `WrongUse` for what is no name, and may be the key itself; `Failure` where
 * it is not set; FST_SESSION_INVALID_KEY where it is no key.
 */
export function keyFromEnv (name: string, { env }: Io): Buffer {
  if (!NAME.test(name)) throw new WrongUse('--key-env takes the name of an environment variable, such as SESSION_KEY')
  const key = env[name]
  if (key === undefined) throw new Failure(`the environment variable ${name} is not set`)
  return keyBytes(key, `the environment variable ${name}`)
}
