import t from 'tap'

const { FreshTokens } = require('../../examples/oauth/fresh-tokens') as { FreshTokens: new (options: object) => any }

/** A session as far as tokens are concerned. */
function sessionWith (tokens: object): any {
  const values = new Map<string, unknown>([['tokens', tokens]])
  return { changed: true, has: (key: string) => values.has(key), get: (key: string) => values.get(key), set: (key: string, value: unknown) => { values.set(key, value) } }
}

t.test('a provider that answers with the same tokens and a later end stops nothing', async t => {
  let nowMs = 0
  let refreshed = 0
  const refresh = async (): Promise<object> => { refreshed++; return { access: 'a', refresh: 'r', expiresAt: nowMs + 60_000 } }
  const freshTokens = new FreshTokens({ refresh, now: () => nowMs })
  const session = sessionWith({ access: 'a', refresh: 'r', expiresAt: 0 })
  t.strictSame(await Promise.all(Array.from({ length: 5 }, async () => await freshTokens.accessTokenOf(session))), ['a', 'a', 'a', 'a', 'a'])
  t.equal(refreshed, 1, 'they share the exchange')
  freshTokens.adopt({ session })
  t.match(session.get('tokens'), { expiresAt: 60_000 })
  nowMs = 70_000
  t.equal(await freshTokens.accessTokenOf(session), 'a')
  t.equal(refreshed, 2, 'and the next end leads to the next exchange')
})
