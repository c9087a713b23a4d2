import { longestAttributes } from '../cookies/lines'
import type { CookieAttributes } from '../cookies/attributes'
import { encodedLength, TIME_BYTES } from '../core/bytes'
import { paddedLength } from '../core/envelope'
import { EXTENSION_VALUE_AT, EXTENSIONS_AT, MARK_BYTES, SUBJECT_BYTES, TOKEN_OVERHEAD_BYTES } from '../core/format'
import { CookieParts } from '../core/parts'
import { invalid } from '../checks'

/** The options that determine the size of a session's cookies. */
interface Writing {
  readonly cookieName: string
  readonly maxCookies: number
  readonly padTo: number
}

/** A session without data, with all its extensions: four times or limits, a flag, a subject, a mark, attributes. */
const EMPTY_BYTES = EXTENSIONS_AT + 4 * (EXTENSION_VALUE_AT + TIME_BYTES) + (EXTENSION_VALUE_AT + 1) +
  (EXTENSION_VALUE_AT + SUBJECT_BYTES) + (EXTENSION_VALUE_AT + MARK_BYTES) + EXTENSION_VALUE_AT + '{}'.length

/**
 * Throws FST_SESSION_INVALID_OPTION if an empty session does not fit in its Set-Cookie lines beside these attributes.
 * @param own the attributes that `session.options()` gave to the session; they are sealed with it
 * @param where the name of the attributes in the message
 */
export function checkRoom (writing: Writing, attributes: CookieAttributes, own: object | null, where: string): void {
  const { cookieName, maxCookies, padTo } = writing
  const ownBytes = own === null ? 0 : Buffer.byteLength(JSON.stringify(own))
  const needed = encodedLength(TOKEN_OVERHEAD_BYTES + paddedLength(EMPTY_BYTES + ownBytes, padTo))
  const bytes = longestAttributes(attributes)
  const room = new CookieParts(cookieName).longest(maxCookies, bytes)
  if (needed <= room) return
  throw invalid(`${where}: the attributes take ${bytes} bytes of each Set-Cookie line and leave ${room} for the ` +
    `session; an empty session needs ${needed}. Shorten "path", "domain" or "cookieName", or lower "padTo"`)
}
