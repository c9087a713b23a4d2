import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import secureSession from '../../index'

/** Whatever this package takes the place of, and this package: the suites here run against both. */

export const PEER = '@fastify/secure-session'
export const OURS = 'fastify-sealed-session'

/** Not imported by its types: they say of `request.session` what ours say otherwise. */
const peer: unknown = require(PEER)

export type Plugin = any
export const PACKAGES: Readonly<Record<string, Plugin>> = { [PEER]: peer, [OURS]: secureSession }

export const KEY = Buffer.from('a1'.repeat(32), 'hex')
export const OTHER_KEY = Buffer.from('b2'.repeat(32), 'hex')
export const SECRET = 'a passphrase of more than thirty-two bytes'
export const SALT = 'sixteen bytes ok'

/** One subtest for each of the two packages. */
export function withEach (t: Test, name: string, run: (t: Test, plugin: Plugin, packageName: string) => Promise<void>): void {
  for (const [packageName, plugin] of Object.entries(PACKAGES)) {
    t.test(`${packageName}: ${name}`, async t => { await run(t, plugin, packageName) })
  }
}

/** An app that nothing has been registered with. `any`, as requests of a user's JavaScript are. */
export function bare (t: Test, options: FastifyServerOptions = {}): any {
  const app = fastify({ forceCloseConnections: true, ...options } as FastifyServerOptions)
  t.teardown(() => app.close())
  return app as unknown as FastifyInstance
}

/** An app with the package, not yet booted. The options are copied, since one of the packages writes to them. */
export function appWith (t: Test, plugin: Plugin, options: unknown = { key: KEY }, serverOptions: FastifyServerOptions = {}): any {
  const app = bare(t, serverOptions)
  app.register(plugin, copyOf(options))
  return app
}

function copyOf (options: unknown): unknown {
  if (Array.isArray(options)) return options.map(copyOf)
  const { cookie, cookieOptions, ...others } = options as Record<string, object | undefined>
  return { ...others, ...(cookie && { cookie: { ...cookie } }), ...(cookieOptions && { cookieOptions: { ...cookieOptions } }) }
}

/** What boot says: the error's message, or null where it boots. */
export async function bootErrorOf (t: Test, plugin: Plugin, options: unknown): Promise<string | null> {
  const app = appWith(t, plugin, options)
  try {
    await app.ready()
    return null
  } catch (error) {
    return (error as Error).message
  }
}
