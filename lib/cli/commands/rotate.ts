import type { KeyRecord } from '../../keyring/document'
import { DEFAULT_KEEP_FOR_MS, keyThatSeals, rotated } from '../../keyring/lifecycle'
import { changeKeyring } from '../../keyring/stored-keyring'
import { MINUTE_MS, SECOND_MS } from '../../time'
import type { Arguments } from '../arguments'
import type { Command } from '../command'
import { moment } from '../dates'
import { WrongUse } from '../failure'
import { jsonOf, livesOf, type Life } from '../lives'
import { JSON_OPTION, KEEP_FOR_OPTION, RING_OPTIONS, RING_USAGE } from '../options'
import { withRing } from '../ring-store'

const DEFAULT_ACTIVATE_IN_MS = 60 * MINUTE_MS
/** How often servers read the ring again, unless they are told otherwise. */
const USUAL_RELOAD_MS = 10 * SECOND_MS

export const rotate: Command = {
  name: 'rotate',
  summary: 'add a key, which seals in an hour, when every server knows it',
  usage: `${RING_USAGE}\n[--activate-in DURATION | --now] [--keep-for DURATION]`,
  about: `Adds a new key. It waits for an hour, so that every server has read it before
the first session is sealed with it; then it takes over. The key before it seals
no more, and opens the sessions it sealed for another 90 days: nobody is logged
out, and no server needs a restart.

By cron, on the first of every month, with the expired keys cleared away:

  0 4 1 * * cd /srv/app && npx fastify-sealed-session rotate --keyring keys.json
            && npx fastify-sealed-session prune --keyring keys.json

(one line, and as the user that owns the file). Or let the servers do it, with
the plugin's option rotation: { every: '30d' }.

When a key has leaked, a rotation is not enough, for the old key still opens:
use revoke.`,
  options: [
    ...RING_OPTIONS,
    { name: 'activate-in', value: 'DURATION', about: 'when it starts to seal; default 1h' },
    { name: 'now', about: 'it starts to seal at once' },
    KEEP_FOR_OPTION,
    JSON_OPTION
  ],
  async run (args, io) {
    const activateInMs = readActivateIn(args)
    const keepForMs = args.duration(KEEP_FOR_OPTION.name, DEFAULT_KEEP_FOR_MS)
    let nowMs = NaN
    let before: readonly KeyRecord[] = []
    const keys = await withRing(args, io, async store => await changeKeyring(store, keys => {
      // Not before: the way to the store may have been long.
      nowMs = io.now()
      before = keys
      return rotated(keys, nowMs, { activateInMs, keepForMs })
    }))
    const lives = livesOf(keys as NonNullable<typeof keys>, nowMs)
    const added = lives.find(({ id }) => before.every(key => key.id !== id)) as Life
    const former = lives.find(({ id }) => id === keyThatSeals(before, nowMs).id) as Life
    const lines = [
      `Added key ${added.id}.`,
      ...lives.flatMap(life => tellSealing(life, nowMs)),
      `Key ${former.id} will open what it sealed until ${moment(former.opensUntilMs, nowMs)}.`,
      ...activateInMs < USUAL_RELOAD_MS ? ['Servers that have not read the ring again look the key up when they meet it.'] : []
    ]
    return { lines, json: { added: jsonOf(added), seals: (lives.find(({ state }) => state === 'active') as Life).id } }
  }
}

function readActivateIn (args: Arguments): number {
  if (!args.has('now')) return args.duration('activate-in', DEFAULT_ACTIVATE_IN_MS, true)
  if (args.has('activate-in')) throw new WrongUse('give only one of --now or --activate-in')
  return 0
}

function tellSealing ({ id, state, sealsFromMs, sealsUntilMs }: Life, nowMs: number): string[] {
  if (state === 'active') return [`Key ${id} seals now${sealsUntilMs === Infinity ? '' : `, until ${moment(sealsUntilMs as number, nowMs)}`}.`]
  return state === 'pending' ? [`Key ${id} will seal from ${moment(sealsFromMs as number, nowMs)} on.`] : []
}
