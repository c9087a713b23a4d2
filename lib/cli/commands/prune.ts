import { pruned } from '../../keyring/lifecycle'
import type { Command } from '../command'
import { JSON_OPTION, RING_OPTIONS, RING_USAGE } from '../options'
import { changeRing } from '../ring-store'

export const prune: Command = {
  name: 'prune',
  summary: 'remove the keys that have expired',
  usage: `${RING_USAGE}\n[--revoked]`,
  about: `Removes the keys that have expired: no session that they sealed is alive.
Revoked keys stay, so that one can see what was revoked and when, unless
--revoked is given; they open nothing either way. Run it after rotate.`,
  options: [
    ...RING_OPTIONS,
    { name: 'revoked', about: 'remove the revoked keys as well' },
    JSON_OPTION
  ],
  async run (args, io) {
    const { before, after } = await changeRing(args, io, (keys, nowMs) => {
      const left = pruned(keys, nowMs, args.has('revoked'))
      return left.length === keys.length ? null : left
    })
    const removed = before.filter(key => !after.includes(key)).map(({ id }) => id)
    const revoked = after.filter(({ revokedAtMs }) => revokedAtMs !== null).map(({ id }) => id)
    return {
      lines: [
        removed.length === 0 ? 'Removed no key.' : `Removed ${count(removed)}: ${removed.join(', ')}.`,
        ...revoked.length === 0 ? [] : [`${count(revoked)} that ${revoked.length === 1 ? 'is' : 'are'} revoked stayed; --revoked removes ${revoked.length === 1 ? 'it' : 'them'} too.`]
      ],
      json: { removed, revokedLeft: revoked }
    }
  }
}

function count (ids: readonly string[]): string {
  return `${ids.length} ${ids.length === 1 ? 'key' : 'keys'}`
}
