/** How many cookies of one name are looked at: a domain and a path above ours may each add one; more is an attack. */
export const MOST_CANDIDATES = 4

// RFC 6265 section 4.1.1: cookie-name is a token of RFC 9110. A longer one would leave too little room for the value.
const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,512}$/

export function isCookieName (name: string): boolean {
  return COOKIE_NAME.test(name)
}

/** The values of the cookies with exactly this name in a Cookie header, in its order, at most MOST_CANDIDATES. */
export function cookieValues (header: string | undefined, name: string): string[] {
  const values: string[] = []
  if (header === undefined) return values
  const sign = `${name}=`
  let at = header.indexOf(sign)
  while (at !== -1 && values.length < MOST_CANDIDATES) {
    const valueAt = at + sign.length
    const semicolon = header.indexOf(';', valueAt)
    const end = semicolon === -1 ? header.length : semicolon
    if (startsPair(header, at)) values.push(withoutSpace(header, valueAt, end))
    at = header.indexOf(sign, end)
  }
  return values
}

/** The text between, without spaces and tabs around it; other white space is part of a value. */
function withoutSpace (header: string, start: number, end: number): string {
  while (start < end && isSpace(header[start])) start++
  while (start < end && isSpace(header[end - 1])) end--
  return header.slice(start, end)
}

function isSpace (character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}

/** True where nothing but white space lies between here and the last semicolon or the start. */
function startsPair (header: string, at: number): boolean {
  let before = at - 1
  while (isSpace(header[before])) before--
  return before < 0 || header[before] === ';'
}
