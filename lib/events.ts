import { channel, type Channel } from 'node:diagnostics_channel'
import type { AboutSession, SessionEvents } from '../types/events'

/** A message is made only if there are subscribers: `if (sealed.hasSubscribers) sealed.publish(…)`. */
interface EventChannel<Message> extends Pick<Channel, 'hasSubscribers'> {
  publish (message: Message): void
}

function named<Name extends keyof SessionEvents> (name: Name): EventChannel<SessionEvents[Name]> {
  return channel(name)
}

export const opened = named('fastify-sealed-session:opened')
export const refused = named('fastify-sealed-session:refused')
export const sealed = named('fastify-sealed-session:sealed')
export const renewed = named('fastify-sealed-session:renewed')
export const revoked = named('fastify-sealed-session:revoked')
export const bound = named('fastify-sealed-session:bound')

/** The fields of all messages. A message names a tenant only with the option `tenant`. */
export function about (session: string, tenant: string | null): AboutSession {
  return tenant === null ? { session } : { session, tenant }
}
