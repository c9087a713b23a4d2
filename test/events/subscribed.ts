import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type secureSession from '../../index'
import type { SessionEvents } from '../../types/events'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { listen, Visitor } from '../neighbours/helpers'

const PREFIX = 'fastify-sealed-session:'
const CHANNELS = ['opened', 'refused', 'sealed', 'renewed', 'revoked', 'bound'].map(name => PREFIX + name) as Array<keyof SessionEvents>

/** A message, with the channel it came by. */
export interface Heard {
  readonly event: string
  readonly [field: string]: unknown
}

/** Hears one channel until the test ends. */
export function hear<Name extends keyof SessionEvents> (t: Test, name: Name, listener: (message: SessionEvents[Name]) => void): void {
  const listen = (message: unknown): void => { listener(message as SessionEvents[Name]) }
  subscribe(name, listen)
  t.teardown(() => { unsubscribe(name, listen) })
}

/** What all channels publish until the test ends, in its order. */
export function hearAll (t: Test): Heard[] {
  const heard: Heard[] = []
  for (const name of CHANNELS) {
    hear(t, name, message => { heard.push({ event: name.slice(PREFIX.length), ...message }) })
  }
  return heard
}

/** Takes what was heard since it was last taken. */
export function take (heard: Heard[]): Heard[] {
  return heard.splice(0)
}

/** Takes what was heard, and compares it: so many messages, and in each the fields that are named here. */
export function hasHeard (t: Test, heard: Heard[], expected: ReadonlyArray<Record<string, unknown>>, name = 'these messages'): void {
  const taken = take(heard)
  t.match(taken, expected, name)
  t.equal(taken.length, expected.length, 'and no other')
}

export interface Site {
  readonly app: TestApp
  readonly origin: string
  visitor (): Visitor
}

/** An app that listens, with the routes that many tests need and others. */
export async function siteWith (t: Test, options: object | readonly object[] = {}, addMore: (app: FastifyInstance) => void = () => {}): Promise<Site> {
  const keyed = Array.isArray(options) ? options.map(one => ({ key: KEY, ...one })) : { key: KEY, ...options }
  const app = await appWith(t, keyed as secureSession.Options)
  addRoutes(app)
  addMore(app)
  const origin = await listen(app)
  return { app, origin, visitor: () => new Visitor(origin) }
}

/** The value of a cookie that a visitor has. */
export function valueOf (visitor: Visitor, name = 'session'): string {
  const pair = visitor.cookie()?.split('; ').find(pair => pair.startsWith(`${name}=`))
  if (pair === undefined) throw new Error(`there is no cookie "${name}"`)
  return pair.slice(name.length + 1)
}
