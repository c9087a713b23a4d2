/** The maximum number of cookies of one name that are read. A parent domain and a parent path may each add one. */
export const MOST_CANDIDATES = 4

const SPACES = ' \t'
const SEMICOLON = 0x3b
const EQUALS = 0x3d

// RFC 6265 section 4.1.1: cookie-name is a token of RFC 9110. A longer name leaves too few bytes for the value.
const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,512}$/

export function isCookieName (name: string): boolean {
  return COOKIE_NAME.test(name)
}

/** The values of the cookies with exactly this name in a Cookie header, in its order, at most MOST_CANDIDATES. */
export function cookieValues (header: string | undefined, name: string): string[] {
  const values: string[] = []
  if (header === undefined) return values
  let at = header.indexOf(name)
  while (at !== -1 && values.length < MOST_CANDIDATES) {
    const signAt = at + name.length
    const isPair = header.charCodeAt(signAt) === EQUALS && startsPair(header, at)
    const semicolon = isPair ? header.indexOf(';', signAt) : signAt
    const end = semicolon === -1 ? header.length : semicolon
    if (isPair) values.push(withoutSpace(header, signAt + 1, end))
    at = header.indexOf(name, end)
  }
  return values
}

/**
 * A Cookie header without the cookies of these names; undefined if no cookie is left. Other cookies are unchanged, byte
 * for byte. White space around a name is ignored, because the next server may ignore it.
 */
export function withoutCookies (header: string, names: ReadonlySet<string>): string | undefined {
  const pairs = header.split(';')
  const kept = pairs.filter(pair => !names.has(nameIn(pair)))
  if (kept.every(pair => pair.trim() === '')) return undefined
  if (kept.length === pairs.length) return header
  // The first remaining pair may begin with the space after a semicolon.
  return kept.join(';').replace(/^[ \t]+/, '')
}

/** A pair without `=` is a value without a name. */
function nameIn (pair: string): string {
  const signAt = pair.indexOf('=')
  return signAt === -1 ? '' : pair.slice(0, signAt).trim()
}

/** A value without spaces and tabs around it; other white space is part of it. An equals sign is before `start`. */
function withoutSpace (header: string, start: number, end: number): string {
  while (SPACES.includes(header[start] as string)) start++
  while (SPACES.includes(header[end - 1] as string)) end--
  return header.slice(start, end)
}

/** True if only white space is between this offset and the previous semicolon or the start. */
function startsPair (header: string, at: number): boolean {
  while (SPACES.includes(header[at - 1] as string)) at--
  return at === 0 || header.charCodeAt(at - 1) === SEMICOLON
}
