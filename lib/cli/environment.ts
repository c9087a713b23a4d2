import { keyBytes } from '../keyring/key-material'
import type { Io } from './command'
import { Failure, WrongUse } from './failure'

/** What stands in environment variables, where neither the shell's history nor the list of processes shows it. */

const SEPARATOR = ','
const NAME = /^[A-Za-z_]\w{0,39}$/

/** The keys in environment variables whose names are separated by commas. Throws as `keyFromEnv` does. */
export function keysFromEnv (names: string, io: Io): Buffer[] {
  return names.split(SEPARATOR).map(name => keyFromEnv(name, io))
}

/** Throws as `textFromEnv` does; FST_SESSION_INVALID_KEY where it is no key. */
export function keyFromEnv (name: string, io: Io): Buffer {
  return keyBytes(textFromEnv(name, '--key-env', 'SESSION_KEY', io), `the environment variable ${name}`)
}

/** Throws `WrongUse` for what is no name, and may be the secret itself; `Failure` where the variable is not set. */
export function textFromEnv (name: string, option: string, example: string, { env }: Io): string {
  if (!NAME.test(name)) throw new WrongUse(`${option} takes the name of an environment variable, such as ${example}`)
  const text = env[name]
  if (text === undefined) throw new Failure(`the environment variable ${name} is not set`)
  return text
}
