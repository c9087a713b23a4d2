import { parseArgs } from 'node:util'
import { DEFAULT_REDIS_KEY } from '../stores/keyring-redis'
import { durationMs } from '../time'
import type { Command } from './command'
import { quoted, WrongUse } from './errors'

/** The options of all commands. `value` and `about` are for the help. */
export const OPTIONS = {
  out: { type: 'string', value: 'FILE', about: 'write the key to a new file (mode 0600), not to stdout' },
  'cookie-name': { type: 'string', value: 'NAME', about: 'the name of the cookie, such as __Host-session' },
  show: { type: 'boolean', about: 'show the values of the session' },
  keyring: { type: 'string', value: 'FILE', about: 'the keyring is in this file' },
  redis: { type: 'string', value: 'URL', about: 'the keyring is in this Redis or Valkey' },
  'redis-env': { type: 'string', value: 'NAME', about: 'as --redis, with the URL in an environment variable' },
  'redis-key': { type: 'string', value: 'KEY', about: `default ${DEFAULT_REDIS_KEY}` },
  'others-may-read': { type: 'boolean', about: 'accept a keyring file that other users may read' },
  'key-env': { type: 'string', value: 'NAME', about: 'the key is in this environment variable' },
  'activate-in': { type: 'string', value: 'DURATION', about: 'when the key becomes active; default 1h' },
  now: { type: 'boolean', about: 'the key becomes active at once' },
  'keep-for': { type: 'string', value: 'DURATION', about: 'how long a retired key opens; default 90d' },
  revoked: { type: 'boolean', about: 'remove revoked keys, too' },
  json: { type: 'boolean', about: 'print JSON' }
} as const

export type OptionName = keyof typeof OPTIONS

export type Arguments = {
  readonly [Name in OptionName]?: (typeof OPTIONS)[Name]['type'] extends 'string' ? string : true
} & {
  /** The argument that is not an option; '' for a command that takes none. */
  readonly argument: string
}

/** @throws WrongUse */
export function readArguments (command: Command, typed: readonly string[]): Arguments {
  const { values, positionals, tokens } = parse(command, typed)
  const given = tokens.flatMap(token => token.kind === 'option' ? [token.name] : [])
  const repeated = given.find((name, index) => given.indexOf(name) !== index)
  if (repeated !== undefined) throw new WrongUse(`--${repeated} was given twice`)
  const empty = given.find(name => values[name] === '')
  if (empty !== undefined) throw new WrongUse(`--${empty} needs a value`)
  return { ...values as Omit<Arguments, 'argument'>, argument: readArgument(command, positionals) }
}

/** The one of these options that was given. @throws WrongUse */
export function oneOf<Name extends OptionName> (args: Arguments, names: readonly Name[]): Name {
  const [given, ...others] = names.filter(name => args[name] !== undefined)
  const wanted = names.map(name => `--${name}`).join(' or ')
  if (given === undefined) throw new WrongUse(`which keyring? Give ${wanted}`)
  if (others.length > 0) throw new WrongUse(`give only one of ${wanted}`)
  return given
}

/** In milliseconds. @throws WrongUse */
export function durationOption (args: Arguments, name: 'activate-in' | 'keep-for', defaultMs: number): number {
  const text = args[name]
  if (text === undefined) return defaultMs
  const ms = durationMs(text)
  if (ms === null) throw new WrongUse(`--${name} takes a duration such as 90m, 12h or 30d; found ${quoted(text)}`)
  return ms
}

function parse ({ name, options }: Command, typed: readonly string[]) {
  const known = [...options, 'json' as const]
  const config = Object.fromEntries(known.map(option => [option, OPTIONS[option]]))
  try {
    return parseArgs({ args: [...typed], options: config, allowPositionals: true, tokens: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // Its first line names an option; the others explain the syntax.
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new WrongUse(message.replace(/\.?\n.*/s, ''))
    // This message quotes what was typed, which may be a secret.
    const names = typed.map(text => text.replace(/=.*/s, ''))
    const unknown = names.find(text => text.startsWith('-') && !known.some(option => text === `--${option}`))
    throw new WrongUse(`${name} has no option ${quoted(unknown as string)}`)
  }
}

function readArgument ({ name, argument }: Command, positionals: readonly string[]): string {
  const wanted = argument === undefined ? [] : [argument]
  const surplus = positionals[wanted.length]
  if (surplus !== undefined) throw new WrongUse(`${name} takes ${argument ?? 'no argument'}; found ${quoted(surplus)}`)
  if (positionals.length < wanted.length) throw new WrongUse(`${name} needs ${argument as string}`)
  return positionals.join()
}
