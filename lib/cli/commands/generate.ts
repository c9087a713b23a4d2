import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KEY_BYTES, randomize } from '../../core/aead'
import type { Command } from '../command'
import { Failure } from '../failure'
import { JSON_OPTION } from '../options'
import { oneLine } from '../printable'

const MODE = 0o600

export const generate: Command = {
  name: 'generate',
  summary: 'print a new key, for the plugin\'s option "key"',
  usage: '[--out FILE]',
  about: `Prints 32 random bytes as one line of base64url, which the plugin's option "key"
takes as it is. This is the only command that shows a key: keep it out of the
repository and the logs.

  echo "SESSION_KEY=$(npx fastify-sealed-session generate)" >> .env

In PowerShell use --out: what ">" writes there is UTF-16, and no key.

For keys that change while servers run, use a keyring instead: see init.`,
  options: [
    { name: 'out', value: 'FILE', about: 'write it to this file, which only you can read, and not to\nthe screen. A file that exists is left as it is' },
    JSON_OPTION
  ],
  async run (args, { cwd }) {
    const key = randomize(Buffer.alloc(KEY_BYTES)).toString('base64url')
    const file = args.text('out')
    if (file === undefined) return { lines: [key], json: { key } }
    await writeNew(resolve(cwd, file), `${key}\n`)
    return { lines: [`Wrote a new key to ${oneLine(file)}.`], json: { file } }
  }
}

async function writeNew (path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: MODE })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Failure(code === 'EEXIST' ? `${path} exists, and was left as it is` : `${path} cannot be written: ${message}`)
  }
}
