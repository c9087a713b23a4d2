import type { FastifyReply } from 'fastify'

/** Adds Set-Cookie lines to a reply, beside those of others; lines that are there already are not added twice. */
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

/** Copies the headers that matter for a session to Node's own response, where a hijacked reply takes them from. */
export function copyToRaw (reply: FastifyReply): void {
  for (const name of ['set-cookie', 'cache-control', 'vary']) {
    const value = reply.getHeader(name)
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
}

/** The response's head is out: sent by Fastify, by whoever hijacked the reply, or by the protocol that the socket was upgraded to. */
export function isHeadSent ({ raw, sent, request }: FastifyReply): boolean {
  return raw.headersSent || (sent && (request.raw as { upgrade?: boolean }).upgrade === true)
}

/** Lets go of a payload that will not be sent. */
export function discard (payload: unknown): void {
  if (typeof payload !== 'object' || payload === null) return
  const { destroy, cancel, body } = payload as { destroy?: unknown, cancel?: unknown, body?: unknown }
  if (typeof destroy === 'function') destroy.call(payload)
  else if (typeof cancel === 'function') cancel.call(payload).catch(ignoreLocked)
  else discard(body)
}

/** A web stream that someone reads already is theirs to end. */
function ignoreLocked (): void {}
