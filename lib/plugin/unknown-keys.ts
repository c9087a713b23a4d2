import type { FastifyInstance } from 'fastify'
import { cookieValues } from '../cookies/header'
import { keyIdIn } from '../core/token'
import type { KeySeeker } from '../keyring/key-seeker'
import type { SessionDefinition } from './definition'
import { resumeAfter } from './resume'

interface Sought {
  readonly names: readonly string[]
  readonly seeker: KeySeeker
}

/**
 * A cookie may name a key that another server has just begun to use. Then the keyring is read again before the handler
 * runs, because `request.session` cannot wait. Nothing is decrypted here.
 */
export function seekUnknownKeys (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  const all: Sought[] = []
  for (const { seeker, options: { cookieName, stampName }, legacyCookies } of definitions) {
    const legacyNames = legacyCookies.flatMap(({ namesOfOwnKeys }) => namesOfOwnKeys)
    if (seeker !== null) all.push({ names: [cookieName, stampName, ...legacyNames], seeker })
  }
  if (all.length === 0) return
  app.addHook('onRequest', function seekKeys (request, reply, done) {
    const header = request.raw.headers.cookie
    const seeking = header === undefined || request.routeOptions.config.session === false ? null : seek(all, header)
    if (seeking === null) done()
    else resumeAfter(seeking, reply, done)
  })
}

/** Null where every key is known. */
function seek (all: readonly Sought[], header: string): Promise<unknown> | null {
  let seeking: Array<Promise<void>> | null = null
  for (const { names, seeker } of all) {
    for (const name of names) {
      for (const token of cookieValues(header, name)) {
        const id = keyIdIn(token)
        if (id === null || !seeker.isWorthSeeking(id)) continue
        seeking ??= []
        seeking.push(seeker.seek(id))
      }
    }
  }
  return seeking === null ? null : Promise.all(seeking)
}
