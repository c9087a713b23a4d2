import { readArguments } from './arguments'
import type { Command, Io } from './command'
import { generate } from './commands/generate'
import { init } from './commands/init'
import { inspect } from './commands/inspect'
import { list } from './commands/list'
import { prune } from './commands/prune'
import { revoke } from './commands/revoke'
import { rotate } from './commands/rotate'
import { lineOf, PROGRAM, quoted, WrongUse } from './failure'
import { helpOn, overview } from './help'
import { printable } from './printable'

export const EXIT_OK = 0
export const EXIT_FAILURE = 1
export const EXIT_USAGE = 2

const COMMANDS: readonly Command[] = [generate, init, list, rotate, revoke, prune, inspect]
const HELP = ['--help', '-h']

/** Runs one command and resolves to the exit status; never rejects. What goes wrong is told in one line. */
export async function run (typed: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = typed
  const command = COMMANDS.find(command => command.name === name)
  try {
    if (command === undefined) io.out(withoutCommand(name, rest))
    else if (rest.some(isHelp)) io.out(helpOn(command))
    else await runCommand(command, rest, io)
    return EXIT_OK
  } catch (error) {
    if (!(error instanceof WrongUse)) {
      io.err(lineOf(error))
      return EXIT_FAILURE
    }
    const see = command === undefined ? '--help' : `"${PROGRAM} ${command.name} --help"`
    io.err(lineOf(new WrongUse(`${error.message}; see ${see}`)))
    return EXIT_USAGE
  }
}

async function runCommand (command: Command, typed: readonly string[], io: Io): Promise<void> {
  const args = readArguments(command, typed)
  const { lines, json } = await command.run(args, io)
  // Users of the application may have written what inspect shows.
  io.out(args.has('json') ? `${printable(JSON.stringify(json, null, 2))}\n` : lines.map(line => `${line}\n`).join(''))
}

function withoutCommand (name: string | undefined, rest: readonly string[]): string {
  if (name === undefined) throw new WrongUse('a command is missing')
  if (name === '--version') return `${version()}\n`
  if (isHelp(name) || name === 'help') return helpFor(rest.find(text => !isHelp(text)))
  throw new WrongUse(name.startsWith('-') ? `a command comes first; found ${quoted(name)}` : `there is no command ${quoted(name)}`)
}

function helpFor (topic: string | undefined): string {
  if (topic === undefined) return overview(COMMANDS)
  const command = COMMANDS.find(({ name }) => name === topic)
  if (command === undefined) throw new WrongUse(`there is no command ${quoted(topic)}`)
  return helpOn(command)
}

function isHelp (text: string): boolean {
  return HELP.includes(text)
}

function version (): string {
  return (require('fastify-sealed-session/package.json') as { version: string }).version
}
