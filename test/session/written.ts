import type { Test } from 'tap'
import { readEnvelope, type OpenedEnvelope } from '../../lib/core/envelope'
import { openToken, plaintext, type OpenedToken } from '../../lib/core/token'
import type { Session } from '../../types/session'
import { appWith, KEY } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'
import { keysFor } from '../helpers/ring'

export type AnySession = Session<Record<string, any>>

export interface Visitor {
  /** One request, whose handler does this to the session. */
  on (run: (session: AnySession) => unknown): Promise<{ result: any, written: boolean }>
  /** The session's data as the cookie holds it, to the character. */
  text (): string
}

/** A visitor whose session has these values. Sessions may be as large as three cookies. */
export async function visitorWith (t: Test, values: Record<string, unknown>): Promise<Visitor> {
  const app = await appWith(t, { key: KEY, maxCookies: 3 })
  let run: (session: AnySession) => unknown = () => undefined
  let result: unknown
  app.get('/', async ({ session }) => {
    result = run(session as AnySession)
    return {}
  })
  const browser = new Browser(app)
  const visitor: Visitor = {
    async on (next) {
      run = next
      const response = await browser.get('/')
      t.equal(response.statusCode, 200, response.body)
      return { result, written: setCookies(response).length > 0 }
    },
    text: () => textIn(['session', 'session.1', 'session.2'].flatMap(name => browser.cookies.get(name) ?? []))
  }
  await visitor.on(session => {
    for (const [key, value] of Object.entries(values)) session.set(key, value)
  })
  return visitor
}

function textIn (parts: readonly string[]): string {
  const length = (openToken(parts.join(''), keysFor(), parts.length, Date.now()) as OpenedToken).plaintextBytes
  const { dataAt, dataEnd } = readEnvelope(plaintext, length) as OpenedEnvelope
  return plaintext.toString('utf8', dataAt, dataEnd)
}
