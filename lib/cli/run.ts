import { readArguments } from './arguments'
import type { Command, Io } from './command'
import { errorLine, PROGRAM, quoted, WrongUse } from './errors'
import { commandHelp, overview } from './help'
import { inspect } from './inspect'
import { generate, init, prune, revoke, rotate } from './key-commands'
import { list } from './list'
import { oneLine, printable } from './text'

const COMMANDS: readonly Command[] = [generate, init, list, rotate, revoke, prune, inspect]

/** Runs one command and resolves to the exit status. Never rejects: an error is one line on stderr. */
export async function run (typed: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = typed
  const command = COMMANDS.find(command => command.name === name)
  try {
    io.out(command === undefined ? withoutCommand(name, rest) : await output(command, rest, io))
    return 0
  } catch (error) {
    if (!(error instanceof WrongUse)) {
      io.err(errorLine(error))
      return 1
    }
    const help = command === undefined ? '--help' : `"${PROGRAM} ${command.name} --help"`
    io.err(errorLine(new WrongUse(`${error.message}; see ${help}`)))
    return 2
  }
}

async function output (command: Command, typed: readonly string[], io: Io): Promise<string> {
  if (typed.some(isHelp)) return commandHelp(command)
  const args = readArguments(command, typed)
  const { lines, json } = await command.run(args, io)
  // Paths and session values may contain control characters.
  return `${args.json ? printable(JSON.stringify(json, null, 2)) : lines.map(oneLine).join('\n')}\n`
}

function withoutCommand (name: string | undefined, rest: readonly string[]): string {
  if (name === undefined) throw new WrongUse('a command is missing')
  if (name === '--version') return `${require('fastify-sealed-session/package.json').version as string}\n`
  const topic = name === 'help' || isHelp(name) ? rest.find(text => !isHelp(text)) : name
  if (topic === undefined) return overview(COMMANDS)
  const command = COMMANDS.find(({ name }) => name === topic)
  if (command === undefined) throw new WrongUse(`there is no command ${quoted(topic)}`)
  return commandHelp(command)
}

function isHelp (text: string): boolean {
  return text === '--help' || text === '-h'
}
