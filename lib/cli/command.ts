import { parseArgs } from 'node:util'
import { DEFAULT_REDIS_KEY } from '../stores/keyring-redis'
import { durationMs, type Clock } from '../time'
import { quoted } from './text'

/** The process around a command. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Reads stdin. @throws if it is longer than any Cookie header */
  readonly input: () => Promise<string>
  readonly isInputTTY: boolean
  readonly now: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** The command line is wrong: exit status 2. Any other error has status 1. Messages are one line without secrets. */
export class WrongUse extends Error {}

export interface Command {
  readonly name: string
  readonly summary: string
  /** The name of the argument that is not an option. */
  readonly argument?: string
  /** For the help of the command. */
  readonly about: string
  /** Without `json` and `help`, which every command has. */
  readonly options: readonly OptionName[]
  /**
   * Returns the output, as lines of text and as the object that `--json` prints.
   * @throws WrongUse, and the coded errors of the package
   */
  run (args: Arguments, io: Io): Promise<{ readonly lines: readonly string[], readonly json: object }>
}

/** The options of all commands. `value` and `about` are for the help. */
export const OPTIONS = {
  out: { type: 'string', value: 'FILE', about: 'write the key to a new file (mode 0600), not to stdout' },
  'cookie-name': { type: 'string', value: 'NAME', about: 'the name of the cookie, such as __Host-session' },
  tenant: { type: 'string', value: 'ID', about: 'the tenant that the cookie belongs to: see docs/tenants.md' },
  show: { type: 'boolean', about: 'show the values of the session' },
  keyring: { type: 'string', value: 'FILE', about: 'the keyring is in this file' },
  redis: { type: 'string', value: 'URL', about: 'the keyring is in this Redis or Valkey' },
  'redis-env': { type: 'string', value: 'NAME', about: 'as --redis, with the URL in an environment variable' },
  'redis-key': { type: 'string', value: 'KEY', about: `default ${DEFAULT_REDIS_KEY}` },
  'others-may-read': { type: 'boolean', about: 'accept a keyring file that other users may read' },
  wrapping: { type: 'string', value: 'FILE', about: 'a module with wrap and unwrap: see docs/keys.md' },
  write: { type: 'boolean', about: 'write the plugin file, .env and .gitignore' },
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
export function readArguments ({ name, argument, options }: Command, typed: readonly string[]): Arguments {
  const known = new Map([...options, 'json' as const].map(option => [option as string, OPTIONS[option]]))
  // Not strict: in strict mode, the messages quote the text, which may be a secret.
  const { values, positionals, tokens } = parseArgs({
    args: [...typed], options: Object.fromEntries(known), strict: false, tokens: true
  })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { rawName, value = '', inlineValue } = token
    const type = known.get(token.name)?.type
    if (type === undefined) throw new WrongUse(`${name} has no option ${quoted(rawName)}`)
    if (tokens.some(other => other !== token && other.kind === 'option' && other.name === token.name)) {
      throw new WrongUse(`${rawName} was given twice`)
    }
    const hasValue = value !== '' && (inlineValue || !/^-./.test(value))
    if (type === 'string' && !hasValue) throw new WrongUse(`${rawName} needs a value`)
    if (type === 'boolean' && inlineValue) throw new WrongUse(`${rawName} takes no value`)
  }
  const [found, surplus] = argument === undefined ? ['', ...positionals] : positionals
  if (surplus !== undefined) throw new WrongUse(`${name} takes ${argument ?? 'no argument'}; found ${quoted(surplus)}`)
  if (found === undefined) throw new WrongUse(`${name} needs ${argument as string}`)
  return { ...values as Omit<Arguments, 'argument'>, argument: found }
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
