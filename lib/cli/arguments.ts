import { parseArgs } from 'node:util'
import { durationMs } from '../time'
import type { Command } from './command'
import { quoted, WrongUse } from './failure'

/** What was typed after a command, checked against what the command takes. */
export class Arguments {
  readonly #options: ReadonlyMap<string, string>
  /** The argument that is not an option; '' for a command that takes none. */
  readonly argument: string

  constructor (options: ReadonlyMap<string, string>, argument: string) {
    this.#options = options
    this.argument = argument
  }

  has (name: string): boolean {
    return this.#options.has(name)
  }

  text (name: string): string | undefined {
    return this.#options.get(name)
  }

  /**
   * Milliseconds.
   * @param instead what to use where no duration is wanted, for the message
   */
  duration (name: string, otherwiseMs: number, instead = ''): number {
    const text = this.text(name)
    if (text === undefined) return otherwiseMs
    const ms = durationMs(text)
    if (ms === null) throw new WrongUse(`--${name} takes a duration with a unit, such as 90m, 12h or 30d${instead}; found ${quoted(text)}`)
    return ms
  }
}

/** Throws `WrongUse`. */
export function readArguments (command: Command, typed: readonly string[]): Arguments {
  const parsed = parseArgs({
    args: [...typed],
    options: Object.fromEntries(command.options.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' } as const])),
    // Its own messages quote what was typed, over several sentences.
    strict: false,
    tokens: true
  })
  const options = new Map<string, string>()
  const others: string[] = []
  for (const token of parsed.tokens) {
    if (token.kind === 'positional') others.push(token.value)
    if (token.kind !== 'option') continue
    if (options.has(token.name)) throw new WrongUse(`--${token.name} was given twice`)
    options.set(token.name, readOption(command, token))
  }
  return new Arguments(options, readArgument(command, others))
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function readOption (command: Command, { name, rawName, value, inlineValue }: OptionToken): string {
  const option = command.options.find(option => option.name === name && rawName === `--${name}`)
  if (option === undefined) throw new WrongUse(`${command.name} has no option ${quoted(rawName)}`)
  if (option.value === undefined) {
    if (value !== undefined) throw new WrongUse(`--${name} takes no value`)
    return ''
  }
  // What starts with a dash is the next option, and the value was forgotten.
  if (value === undefined || value === '' || (inlineValue === false && value.startsWith('-'))) throw new WrongUse(`--${name} needs a value: ${rawName} ${option.value}`)
  return value
}

function readArgument ({ name, argument }: Command, [first, ...surplus]: readonly string[]): string {
  if (argument === undefined) {
    if (first !== undefined) throw new WrongUse(`${name} takes no argument; found ${quoted(first)}`)
    return ''
  }
  if (first === undefined) throw new WrongUse(`${name} needs ${argument}`)
  if (surplus[0] !== undefined) throw new WrongUse(`${name} takes one argument, ${argument}; found one more, ${quoted(surplus[0])}`)
  return first
}
