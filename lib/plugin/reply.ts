import type { FastifyReply } from 'fastify'

type RawReply = FastifyReply['raw']

/** Adds Set-Cookie lines to a reply. Lines of others stay, and no line is added twice. */
export function putSetCookies (reply: FastifyReply, lines: readonly string[]): void {
  const present = reply.getHeader('set-cookie')
  if (present == null) {
    reply.header('set-cookie', lines.length === 1 ? lines[0] : [...lines])
    return
  }
  const others = (Array.isArray(present) ? present : [String(present)]).filter(line => !lines.includes(line))
  const all = [...others, ...lines]
  reply.removeHeader('set-cookie')
  reply.header('set-cookie', all.length === 1 ? all[0] : all)
}

const REGISTRATION = 'secure-session-registration'

/** Adds a value to Secure-Session-Registration, which is a list. Values of others stay, and none is added twice. */
export function putRegistration (reply: FastifyReply, offer: string): void {
  const present = [reply.getHeader(REGISTRATION) ?? []].flat().map(String)
  if (!present.some(value => value.includes(offer))) reply.header(REGISTRATION, [...present, offer].join(', '))
}

/**
 * Copies the headers of a session to Node's own response, for a hijacked reply.
 * @param others the names of further headers
 */
export function copyToRaw (reply: FastifyReply, others: readonly string[]): void {
  for (const name of ['set-cookie', 'cache-control', 'vary', REGISTRATION, ...others]) {
    const value = reply.getHeader(name)
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
}

/** The head of the response was sent: by Fastify, by the app, or by the protocol after an upgrade. */
export function isHeadSent (reply: FastifyReply): boolean {
  return reply.raw.headersSent || (reply.sent && isUpgrade(reply))
}

/** No response can be sent any more. For HTTP/2 only the stream says so. */
export function isClosed (raw: RawReply): boolean {
  return raw.destroyed || (raw as { stream?: { destroyed: boolean } }).stream?.destroyed === true
}

export function isUpgrade ({ request }: FastifyReply): boolean {
  return (request.raw as { upgrade?: boolean }).upgrade === true
}

/**
 * Runs `work` once, before the head of a response is written, also where Node.js does so with the first byte of the
 * body.
 *
 * Where headers were set before, `writeHead` adds its own to them before it checks them. If it throws, Fastify tries
 * again without headers, and what throws then ends the process: so those that were added are removed.
 * @param work is given the arguments of `writeHead`, and returns those to go on with
 */
export function beforeHead (raw: RawReply, work: (args: readonly unknown[]) => readonly unknown[]): void {
  const writeHead = raw.writeHead as (...args: unknown[]) => RawReply
  let isDone = false
  raw.writeHead = function (...args: unknown[]) {
    const isFirst = !isDone
    isDone = true
    const given = isFirst ? work(args) : args
    const namesBefore = raw.getHeaderNames()
    try {
      return writeHead.apply(raw, [...given])
    } catch (error) {
      for (const name of raw.getHeaderNames()) if (!namesBefore.includes(name)) raw.removeHeader(name)
      throw error
    }
  } as RawReply['writeHead']
}

/**
 * Moves Set-Cookie lines from the headers given to `writeHead` to the response: there, they would replace all others.
 */
export function moveSetCookies (raw: RawReply, args: readonly unknown[]): readonly unknown[] {
  const headers: unknown = args.at(-1)
  if (typeof headers !== 'object' || headers === null) return args
  const entries = Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers)
  const isSetCookie = ([name]: Header): boolean => String(name).toLowerCase() === 'set-cookie'
  const lines = entries.filter(isSetCookie).flatMap(([, value]) => value as string)
  if (lines.length === 0) return args
  const present = [raw.getHeader('set-cookie') ?? []].flat().map(String)
  raw.setHeader('set-cookie', [...present, ...lines])
  return [...args.slice(0, -1), Object.fromEntries(entries.filter(entry => !isSetCookie(entry)))]
}

/** The arguments of `writeHead` with these values of headers, by lower-case names, where they give another one. */
export function withValues (args: readonly unknown[], values: ReadonlyMap<string, string>): readonly unknown[] {
  const headers: unknown = args.at(-1)
  if (typeof headers !== 'object' || headers === null) return args
  const isList = Array.isArray(headers)
  const entries = (isList ? pairsOf(headers) : Object.entries(headers)).map(([name, value]) => {
    return [name, values.get(String(name).toLowerCase()) ?? value]
  })
  // A flat list may have a name twice.
  const isFlat = isList && !Array.isArray(headers[0])
  return [...args.slice(0, -1), isFlat ? entries.flat() : Object.fromEntries(entries)]
}

type Header = readonly unknown[]

/** Node.js takes a list of pairs, and one of names and values in turn. */
function pairsOf (headers: readonly unknown[]): readonly Header[] {
  if (Array.isArray(headers[0])) return headers as readonly Header[]
  return headers.flatMap((name, index) => index % 2 === 0 ? [[name, headers[index + 1]]] : [])
}

/** A stream can fail before Fastify listens to it. Without a listener, its error would end the process. */
export function holdErrors (payload: unknown): void {
  const { on } = (payload ?? {}) as { on?: unknown }
  if (typeof on === 'function') on.call(payload, 'error', ignoreError)
}

/** Ends a payload that will not be sent. Errors of its own methods are ignored. */
export function discard (payload: unknown): void {
  if (typeof payload !== 'object' || payload === null) return
  const { destroy, cancel, body } = payload as { destroy?: unknown, cancel?: unknown, body?: unknown }
  holdErrors(payload)
  if (typeof destroy === 'function') attempt(() => { destroy.call(payload) })
  // A locked web stream rejects: its reader ends it.
  else if (typeof cancel === 'function') attempt(async () => { await cancel.call(payload) })
  else discard(body)
}

function attempt (work: () => void | Promise<void>): void {
  new Promise<void>(resolve => { resolve(work()) }).catch(ignoreError)
}

/** The stream keeps its error, as `errored`. */
function ignoreError (): void {}
