import { InvalidOptionError } from '../errors'
import { OPTIONS, readArguments, WrongUse, type Command, type Io } from './command'
import { init } from './init'
import { inspect } from './inspect'
import { generate, list, prune, revoke, rewrap, rotate } from './key-commands'
import { errorLine, oneLine, printable, PROGRAM, quoted, table } from './text'

const COMMANDS: readonly Command[] = [generate, init, list, rotate, revoke, prune, rewrap, inspect]
const HELP = ['--help', '-h']

/** Runs one command and resolves to the exit status. Never rejects: an error is one line on stderr. */
export async function run (typed: readonly string[], io: Io): Promise<number> {
  const words = typed[0] === 'help' ? [...typed.slice(1), '--help'] : typed
  const [name, ...rest] = words.filter(word => !HELP.includes(word))
  const asksForHelp = words.some(word => HELP.includes(word))
  const command = COMMANDS.find(command => command.name === name)
  try {
    if (command !== undefined) io.out(asksForHelp ? commandHelp(command) : await output(command, rest, io))
    else if (name === '--version') io.out(`${require('fastify-sealed-session/package.json').version as string}\n`)
    else if (name !== undefined) throw new WrongUse(`there is no command ${quoted(name)}`)
    else if (asksForHelp) io.out(overview())
    else throw new WrongUse('a command is missing')
    return 0
  } catch (error) {
    const isWrongUse = error instanceof WrongUse || error instanceof InvalidOptionError
    const help = command === undefined ? '--help' : `"${PROGRAM} ${command.name} --help"`
    io.err(errorLine(isWrongUse ? new WrongUse(`${error.message}; see ${help}`) : error))
    return isWrongUse ? 2 : 1
  }
}

async function output (command: Command, typed: readonly string[], io: Io): Promise<string> {
  const args = readArguments(command, typed)
  const { lines, json } = await command.run(args, io)
  // Paths and session values may contain control characters.
  return `${args.json ? printable(JSON.stringify(json, null, 2)) : lines.map(oneLine).join('\n')}\n`
}

function commandHelp ({ name, argument, about, options }: Command): string {
  const rows = [...options, 'json' as const].map(option => {
    const { about, ...rest } = OPTIONS[option]
    return ['value' in rest ? `--${option} ${rest.value}` : `--${option}`, about]
  })
  return `Usage: ${[PROGRAM, name, ...argument === undefined ? [] : [argument]].join(' ')} [options]

${about}

Options:
${table([...rows, ['--help', 'print this help']], '  ').join('\n')}
`
}

function overview (): string {
  return `Usage: ${PROGRAM} <command> [options]

Sets up an app, and manages the keys that seal session cookies.

Commands:
${table(COMMANDS.map(({ name, summary }) => [name, summary]), '  ').join('\n')}

An app: prints a plugin file that fits, or writes it, and a key to .env:
  npx ${PROGRAM} init
  npx ${PROGRAM} init --write
One key:
  echo "SESSION_KEY=$(npx ${PROGRAM} generate)" >> .env
A keyring, whose keys change while the servers run, in a file or in Redis:
  npx ${PROGRAM} init --keyring keys.json
  npx ${PROGRAM} init --redis-env NAME
Run rotate and then prune every month, from cron. If a key has leaked, find its
id with list, then revoke it: users whose sessions it sealed must log in again.

The states of a key, one after another:
  pending   opens, does not seal yet: servers learn it first
  active    seals and opens: the newest key that is not pending
  retired   opens the sessions that it sealed
  expired   opens nothing; prune removes it
  revoked   opens nothing; any key can be revoked, at any time

"<command> --help" shows the options of a command; --version the version.
Exit status: 0 done, 1 failed, 2 wrong use. Errors are one line on stderr.
`
}
