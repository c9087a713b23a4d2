import { isoTime } from '../../keyring/document'
import { DEFAULT_ACTIVATE_IN_MS, DEFAULT_KEEP_FOR_MS, DEFAULT_RELOAD_MS, rotated } from '../../keyring/lifecycle'
import type { Arguments } from '../arguments'
import type { Command, Result } from '../command'
import { moment } from '../dates'
import { WrongUse } from '../failure'
import { jsonOf, livesOf, type Life } from '../lives'
import { JSON_OPTION, KEEP_FOR_OPTION, RING_OPTIONS, RING_USAGE } from '../options'
import { changeRing, type RingChange } from '../ring-store'

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
    return tell(await changeRing(args, io, (keys, nowMs) => rotated(keys, nowMs, { activateInMs, keepForMs })), activateInMs)
  }
}

function tell ({ before, after, nowMs }: RingChange, activateInMs: number): Result {
  const expiries = new Map(before.map(({ id, expiresAtMs }) => [id, expiresAtMs]))
  const lives = livesOf(after, nowMs)
  const added = lives.find(({ id }) => !expiries.has(id)) as Life
  // The new key is among them where a pending one comes after it.
  const redated = new Set(after.filter(({ id, expiresAtMs }) => expiresAtMs !== (expiries.get(id) ?? null)).map(({ id }) => id))
  const toRetire = lives.filter(({ id }) => redated.has(id))
  return {
    lines: [
      `Added key ${added.id}.`,
      ...lives.flatMap(life => tellSealing(life, nowMs)),
      ...toRetire.map(({ id, opensUntilMs }) => `Key ${id} will open what it sealed until ${moment(opensUntilMs, nowMs)}.`),
      ...activateInMs < DEFAULT_RELOAD_MS ? ['Servers that have not read the ring again look the key up when they meet it.'] : []
    ],
    json: {
      added: jsonOf(added),
      seals: (lives.find(({ state }) => state === 'active') as Life).id,
      former: toRetire.map(({ id, opensUntilMs }) => ({ id, opensUntil: isoTime(opensUntilMs) }))
    }
  }
}

function readActivateIn (args: Arguments): number {
  if (!args.has('now')) return args.duration('activate-in', DEFAULT_ACTIVATE_IN_MS, ', or --now for at once')
  if (args.has('activate-in')) throw new WrongUse('give only one of --now or --activate-in')
  return 0
}

function tellSealing ({ id, state, sealsFromMs, sealsUntilMs }: Life, nowMs: number): string[] {
  if (state === 'active') return [`Key ${id} seals now${sealsUntilMs === Infinity ? '' : `, until ${moment(sealsUntilMs as number, nowMs)}`}.`]
  return state === 'pending' ? [`Key ${id} will seal from ${moment(sealsFromMs as number, nowMs)} on.`] : []
}
