import { KEY_BYTES, randomize } from '../core/aead'

type Print = (text: string) => void

export const EXIT_OK = 0
export const EXIT_USAGE = 2

const HELP = `Usage: fastify-sealed-session <command>

Commands:
  generate    print a new key: 32 random bytes as base64url text, one line

Options:
  --help, -h  print this help

A key fits the plugin's option "key" as it is. Keep it out of the repository:

  echo "SESSION_KEY=$(npx fastify-sealed-session generate)" >> .env

  app.register(secureSession, { key: process.env.SESSION_KEY })
`

/** Runs one command and returns the exit status: 0, or 2 for wrong use, told in one line. */
export function run (args: readonly string[], out: Print, err: Print): number {
  const [command, ...rest] = args
  if (args.includes('--help') || args.includes('-h') || command === 'help') {
    out(HELP)
    return EXIT_OK
  }
  if (command !== 'generate') return wrongUse(err, command === undefined ? 'a command is missing' : `there is no command "${command}"`)
  if (rest.length > 0) return wrongUse(err, `generate takes no argument; found "${rest[0]}"`)
  out(`${randomize(Buffer.alloc(KEY_BYTES)).toString('base64url')}\n`)
  return EXIT_OK
}

function wrongUse (err: Print, what: string): number {
  err(`fastify-sealed-session: ${what}; see --help\n`)
  return EXIT_USAGE
}
