import type { FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import type secureSession from '../../index'
import { addRoutes, appWith, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'

/** The longest Set-Cookie line. */
export const LINE = 4093
/** The attributes of a session by default, at their longest. */
export const ATTRIBUTES = '; Max-Age=34560000; Path=/; HttpOnly; Secure; SameSite=Lax'
/** How many characters a token has at most that lies in one, two and three cookies. */
export const ONE = LINE - ATTRIBUTES.length - 'session='.length
export const TWO = 2 * (LINE - ATTRIBUTES.length - 'session.1='.length)
export const THREE = TWO / 2 * 3

/** An app whose sessions are as large as one asks for. */
export async function appOfSizes (t: Test, options: Partial<secureSession.SessionOptions> = { maxCookies: 3 }, serverOptions: FastifyServerOptions = {}): Promise<TestApp> {
  const app = await appWith(t, { key: KEY, ...options }, serverOptions)
  addRoutes(app)
  addFilling(app)
  return app
}

export function addFilling (app: TestApp): void {
  app.get('/fill/:bytes', async ({ session, params }) => {
    session.set('text', textOf(Number((params as { bytes: string }).bytes)))
    // To set what is there is no change.
    session.touch()
    return {}
  })
  app.get('/size', async ({ session }) => ({ size: session.get('text')?.length ?? null }))
}

/** No part of it is like another. */
function textOf (bytes: number): string {
  return Array.from({ length: Math.ceil(bytes / 5) }, (_, number) => String(number).padStart(5, '-')).join('').slice(0, bytes)
}

export async function sizeIn (browser: Browser): Promise<number | null> {
  return (await browser.json('/size')).size
}

/** A browser with a session of this size. */
export async function filled (app: TestApp, bytes: number): Promise<Browser> {
  const browser = new Browser(app)
  await browser.get(`/fill/${bytes}`)
  return browser
}

/** Values that make tokens of so many cookies. */
export const BYTES = { one: 300, two: 4000, three: 7000 } as const

/** The bytes of `text` whose token has so many characters. No token has a number of them that is 1 modulo 4. */
export function bytesFor (app: TestApp, characters: number): number {
  const lengthOf = (bytes: number): number => app.encodeSecureSession(app.createSecureSession({ text: textOf(bytes) })).length
  let bytes = Math.floor(characters * 3 / 4) - 140
  while (lengthOf(bytes) < characters) bytes++
  if (lengthOf(bytes) !== characters) throw new RangeError(`no token has ${characters} characters`)
  return bytes
}
