import { KEY_BYTES, randomize } from '../../core/aead'
import { writeKeyring } from '../../keyring/document'
import { DEFAULT_KEEP_FOR_MS, ringOf } from '../../keyring/lifecycle'
import { nameOf } from '../../keyring/stored-keyring'
import type { Command, Result } from '../command'
import { moment } from '../dates'
import { keysFromEnv } from '../environment'
import { Failure } from '../failure'
import { jsonOf, livesOf, type Life } from '../lives'
import { JSON_OPTION, KEY_ENV_OPTION, RING_OPTIONS, RING_USAGE } from '../options'
import { oneLine } from '../printable'
import { withRing } from '../ring-store'

export const init: Command = {
  name: 'init',
  summary: 'make a keyring with one key, which seals at once',
  usage: `${RING_USAGE}\n[--key-env NAME,...]`,
  about: `Makes a keyring with one key, which is active at once. Where there is a keyring
already, it is left as it is.

  npx fastify-sealed-session init --keyring keys.json

and in the server

  app.register(secureSession, { keyring: 'keys.json' })

A server that has had the option "key" moves to a keyring that starts with that
key, so that nobody is logged out:

  npx fastify-sealed-session init --keyring keys.json --key-env SESSION_KEY

Several names, separated by commas, stand for an array of keys: the first seals,
and the others open for 90 days.

The file holds keys: keep it out of the repository. Only its owner may read it,
so run this as the user that runs the server.`,
  options: [
    ...RING_OPTIONS,
    { name: KEY_ENV_OPTION, value: 'NAME,...', about: 'start with the key in this environment variable, or\nwith the keys in these' },
    JSON_OPTION
  ],
  async run (args, io) {
    return await withRing(args, io, async store => {
      const names = args.text(KEY_ENV_OPTION)
      const materials = names === undefined ? [randomize(Buffer.alloc(KEY_BYTES))] : keysFromEnv(names, io)
      const nowMs = io.now()
      const keys = ringOf(materials, nowMs, DEFAULT_KEEP_FOR_MS)
      if (!await store.update(null, writeKeyring(keys))) throw new Failure(`${nameOf(store)} exists, and was left as it is`)
      return tell(nameOf(store), livesOf(keys, nowMs), nowMs)
    })
  }
}

function tell (name: string, lives: readonly Life[], nowMs: number): Result {
  const { id } = lives.find(({ state }) => state === 'active') as Life
  const former = lives.filter(({ state }) => state === 'retired')
  return {
    lines: [
      `Made ${oneLine(name)}. Key ${id} seals from now on.`,
      ...former.map(({ id, opensUntilMs }) => `Key ${id} opens what it sealed until ${moment(opensUntilMs, nowMs)}.`)
    ],
    json: { id, keys: lives.map(jsonOf) }
  }
}
