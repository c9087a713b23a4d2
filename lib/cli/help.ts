import type { Command, Option } from './command'
import { PROGRAM } from './failure'

/** Help that is enough to do the job with. */

const HELP_OPTION: Option = { name: 'help', about: 'print this help' }

export function helpOn (command: Command): string {
  const usage = `${command.name} ${command.usage} [--json]`.replace(/ ?\n/g, '\n  ')
  return `Usage: ${PROGRAM} ${usage}

${command.about}

Options:
${table([...command.options, HELP_OPTION].map(({ name, value, about }) => [`--${name}${value === undefined ? '' : ` ${value}`}`, about]))}
`
}

export function overview (commands: readonly Command[]): string {
  return `Usage: ${PROGRAM} <command> [options]

Makes and looks after the keys that seal session cookies.

Commands:
${table(commands.map(({ name, argument, summary }) => [argument === undefined ? name : `${name} ${argument}`, summary]))}

Every command but generate works on a keyring, which is in a file (--keyring
FILE) or in Redis (--redis URL; where the URL has a password, put it into an
environment variable and give its name: --redis-env NAME). All print JSON with
--json. "<command> --help" tells the rest; --version prints the version.

One key, which never changes:
  echo "SESSION_KEY=$(npx ${PROGRAM} generate)" >> .env
  app.register(secureSession, { key: process.env.SESSION_KEY })

Keys that change while the servers run, with nobody logged out:
  npx ${PROGRAM} init --keyring keys.json
  app.register(secureSession, { keyring: 'keys.json' })
  npx ${PROGRAM} rotate --keyring keys.json
  npx ${PROGRAM} list --keyring keys.json
The new key seals in an hour: by then all servers know it, since they read the
ring again every 10 seconds. The old one opens its sessions for 90 days more. If
there is a SESSION_KEY already, start with it: init --key-env SESSION_KEY.

Every month, by cron:
  rotate --keyring keys.json && prune --keyring keys.json
each as "npx ${PROGRAM} ...", in the folder of the app.

When a key has leaked: find its id with list, then revoke <id>. Whoever has a
session that this key sealed must log in again; all others stay logged in.

A key is, one after the other:
  pending   opens sessions, does not seal yet: every server shall know it first
  active    seals, and opens: the newest one that is not pending
  retired   opens what it sealed, so that nobody is logged out
  expired   opens nothing; prune removes it
or
  revoked   opens nothing, from the moment that it is revoked

Exit status: 0 done; 1 failed; 2 wrong use. Errors are one line on stderr.
`
}

/** Names on the left, and what they are for on the right; the lines of a longer text stay below each other. */
function table (rows: ReadonlyArray<readonly [string, string]>): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, about]) => `  ${name.padEnd(width)}${about.replaceAll('\n', `\n  ${' '.repeat(width)}`)}`).join('\n')
}
