import type { FastifyInstance } from 'fastify'
import { cookieValues } from '../cookies/header'
import { keyIdIn } from '../core/token'
import type { SessionDefinition } from './definition'

/**
 * A cookie may name a key that another server has just begun to use. The keyring is then read again before the handler
 * runs, since `request.session` itself cannot wait. Known keys pass at once, and nothing is decrypted here.
 */
export function seekUnknownKeys (app: FastifyInstance, definitions: readonly SessionDefinition[]): void {
  const seekers = definitions.filter(({ seeker }) => seeker !== null)
  if (seekers.length === 0) return
  app.addHook('onRequest', function seekKeys (request, _reply, done) {
    const sought = seekers.flatMap(definition => seekAll(definition, request.raw.headers.cookie))
    if (sought.length === 0) done()
    else Promise.all(sought).then(() => { done() }, done)
  })
}

function seekAll ({ options, seeker }: SessionDefinition, header: string | undefined): Array<Promise<void>> {
  const sought: Array<Promise<void>> = []
  for (const name of [options.cookieName, options.stampName]) {
    for (const token of cookieValues(header, name)) {
      const id = keyIdIn(token)
      if (id !== null && seeker?.isWorthSeeking(id) === true) sought.push(seeker.seek(id))
    }
  }
  return sought
}
