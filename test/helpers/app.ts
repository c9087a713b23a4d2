import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import secureSession from '../../index'

/** The key of most tests. */
export const KEY = Buffer.from('a1'.repeat(32), 'hex')
export const OTHER_KEY = Buffer.from('b2'.repeat(32), 'hex')

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [name: string]: unknown
}

export const DEBUG = 20
export const WARN = 40
export const ERROR = 50

export interface TestApp extends FastifyInstance {
  readonly lines: LogLine[]
}

/** An app with the plugin, and with all that it logs in `lines`. Closed when the test ends. */
export async function appWith (t: Test, options: secureSession.Options = { key: KEY }, serverOptions: FastifyServerOptions = {}): Promise<TestApp> {
  const app = bareApp(t, serverOptions)
  await app.register(secureSession, options)
  return app
}

export function bareApp (t: Test, serverOptions: FastifyServerOptions = {}): TestApp {
  const lines: LogLine[] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
  const app = fastify({ logger: { level: 'debug', stream }, ...serverOptions } as FastifyServerOptions)
  t.teardown(() => app.close())
  return Object.assign(app as unknown as FastifyInstance, { lines })
}

/** Routes that many tests need: write a value, read all, change one in place, end the session. */
export function addRoutes (app: FastifyInstance): void {
  app.get('/set/:key/:value', async ({ session, params }) => {
    const { key, value } = params as { key: string, value: string }
    session.set(key, value)
    return { ok: true }
  })
  app.get('/get', async ({ session }) => session.data())
  app.get('/info', async ({ session }) => session.info)
  app.get('/untouched', async () => ({ ok: true }))
  app.get('/touch', async ({ session }) => { session.touch(); return { ok: true } })
  app.get('/delete', async ({ session }) => { session.delete(); return { ok: true } })
  app.get('/regenerate', async ({ session, query }) => {
    session.regenerate((query as { keep?: string }).keep?.split(','))
    return { ok: true }
  })
}
