import { isSame, type Codec } from './codec'
import type { OpenedSession } from './policy'
import type { Values } from './values'

/** The data as `codec` writes it down, if a nested value was changed in place since the session was opened; else null. */
export function nestedChange (opened: OpenedSession | null, values: Values, codec: Codec): string | Buffer | null {
  if (opened === null || !values.handedOut) return null
  const data = values.encode(opened.codec)
  if (isSame(data, opened.decoded.source)) return null
  return opened.codec === codec ? data : values.encode(codec)
}
