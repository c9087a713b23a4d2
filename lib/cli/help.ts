import { OPTIONS } from './arguments'
import type { Command } from './command'
import { PROGRAM } from './errors'
import { table } from './text'

export function commandHelp ({ name, argument, about, options }: Command): string {
  const rows = [...options, 'json' as const].map(option => {
    const { about, ...rest } = OPTIONS[option]
    return ['value' in rest ? `--${option} ${rest.value}` : `--${option}`, about]
  })
  return `Usage: ${[PROGRAM, name, ...argument === undefined ? [] : [argument]].join(' ')} [options]

${about}

Options:
${indented([...rows, ['--help', 'print this help']])}
`
}

export function overview (commands: readonly Command[]): string {
  return `Usage: ${PROGRAM} <command> [options]

Manages the keys that seal session cookies.

Commands:
${indented(commands.map(({ name, summary }) => [name, summary]))}

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

function indented (rows: ReadonlyArray<readonly string[]>): string {
  return table(rows).map(line => `  ${line}`).join('\n')
}
