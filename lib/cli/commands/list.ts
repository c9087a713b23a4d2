import { isoTime } from '../../keyring/document'
import type { Command } from '../command'
import { dateTime } from '../dates'
import { jsonOf, livesOf } from '../lives'
import { JSON_OPTION, RING_OPTIONS, RING_USAGE } from '../options'
import { keysIn, withRing } from '../ring-store'
import { styleFor } from '../style'
import { table } from '../table'
import { timeline } from '../timeline'

const USUAL_COLUMNS = 80

export const list: Command = {
  name: 'list',
  summary: 'show the keys of a ring: their states, and when they change',
  usage: RING_USAGE,
  about: `Shows each key of the ring by its id: its state, its age, when it seals and
until when it opens sessions; and below, the same as a timeline. Keys themselves
are never shown. All times are in UTC.

Colours and blocks are for terminals: elsewhere, and with the environment
variable NO_COLOR, it is plain ASCII.`,
  options: [...RING_OPTIONS, JSON_OPTION],
  async run (args, io) {
    const keys = await withRing(args, io, keysIn)
    const nowMs = io.now()
    const lives = livesOf(keys, nowMs)
    // A terminal that has no size says 0.
    const width = io.columns || USUAL_COLUMNS
    const style = styleFor(io)
    return {
      lines: [
        `${lives.length} ${lives.length === 1 ? 'key' : 'keys'}, at ${dateTime(nowMs)} UTC`,
        '',
        ...table(lives, nowMs, width, style),
        '',
        ...timeline(lives, nowMs, width, style)
      ],
      json: { now: isoTime(nowMs), keys: lives.map(jsonOf) }
    }
  }
}
