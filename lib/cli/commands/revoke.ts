import { DEFAULT_KEEP_FOR_MS, keyThatSeals, revoked } from '../../keyring/lifecycle'
import { isoTime, type KeyRecord } from '../../keyring/document'
import type { Command, Result } from '../command'
import { moment } from '../dates'
import { Failure, quoted, WrongUse } from '../failure'
import { JSON_OPTION, KEEP_FOR_OPTION, RING_OPTIONS, RING_USAGE } from '../options'
import { changeRing, type RingChange } from '../ring-store'

const ID = /^[0-9a-f]{8}$/

export const revoke: Command = {
  name: 'revoke',
  summary: 'end every session that a leaked key has sealed',
  argument: '<id>',
  usage: `<id>${RING_USAGE}\n[--keep-for DURATION]`,
  about: `For a key that has leaked: whoever holds it can read sessions, and make any they
like. Once it is revoked it opens nothing, so these sessions are over, and so is
everybody else's that it sealed: they log in again.

  npx fastify-sealed-session list --keyring keys.json
  npx fastify-sealed-session revoke 1a2b3c4d --keyring keys.json

If it is the key that seals, a pending one takes over at once, or a new one that
is made in the same step. Servers follow when they next read the ring, every 10
seconds by default (in Kubernetes a minute or two). If others may have read the
whole ring, revoke every key.

The key stays in the ring, marked as revoked: prune --revoked removes it.`,
  options: [...RING_OPTIONS, KEEP_FOR_OPTION, JSON_OPTION],
  async run (args, io) {
    const id = args.argument.toLowerCase()
    if (!ID.test(id)) throw new WrongUse(`a key's id is 8 hex digits, as list shows it; found ${quoted(args.argument)}`)
    const keepForMs = args.duration(KEEP_FOR_OPTION.name, DEFAULT_KEEP_FOR_MS)
    return tell(id, await changeRing(args, io, (keys, nowMs) => isRevoked(keys, id) ? null : revoked(keys, id, nowMs, keepForMs)))
  }
}

function tell (id: string, { name, before, after, nowMs }: RingChange): Result {
  const key = after.find(key => key.id === id)
  if (key === undefined) throw new Failure(`${name} has no key ${id}`)
  const revokedAtMs = key.revokedAtMs as number
  const sealsNow = keyThatSeals(after, nowMs).id
  const json = { id, revokedAt: isoTime(revokedAtMs), wasRevoked: isRevoked(before, id), seals: sealsNow }
  if (json.wasRevoked) return { lines: [`Key ${id} was revoked before, at ${moment(revokedAtMs, nowMs)}.`], json }
  const lines = [
    `Revoked key ${id}. Sessions sealed with it are over.`,
    `Key ${sealsNow} ${howItSeals(id, sealsNow, before, nowMs)}.`,
    'Servers follow when they next read the ring, every 10 seconds by default.'
  ]
  return { lines, json }
}

function howItSeals (id: string, sealsNow: string, before: readonly KeyRecord[], nowMs: number): string {
  if (keyThatSeals(before, nowMs).id !== id) return 'still seals'
  return before.some(key => key.id === sealsNow) ? 'seals now: it was pending' : 'seals now: it is new'
}

function isRevoked (keys: readonly KeyRecord[], id: string): boolean {
  return keys.some(key => key.id === id && key.revokedAtMs !== null)
}
