import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import t from 'tap'
import { plainEnv } from '../helpers/process'

/** In a process of its own: an example is not measured for coverage. */
function run (code: string): any {
  const script = `
    const { FreshTokens } = require(${JSON.stringify(resolve(__dirname, '../../examples/oauth/fresh-tokens.js'))})
    const sessionWith = tokens => {
      const values = new Map([['tokens', tokens]])
      return { changed: true, has: key => values.has(key), get: key => values.get(key), set: (key, value) => { values.set(key, value) } }
    }
    ;(async () => { ${code} })().then(result => { console.log(JSON.stringify(result)) })`
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { env: plainEnv(), encoding: 'utf8' }))
}

t.test('a provider that refreshes with the same tokens and a later expiry causes no failure', async t => {
  const result = run(`
    let nowMs = 0
    let refreshed = 0
    const refresh = async () => { refreshed++; return { access: 'a', refresh: 'r', expiresAt: nowMs + 60000 } }
    const freshTokens = new FreshTokens({ refresh, now: () => nowMs })
    const session = sessionWith({ access: 'a', refresh: 'r', expiresAt: 0 })
    const first = await Promise.all([1, 2, 3].map(() => freshTokens.accessTokenOf(session)))
    freshTokens.adopt({ session })
    const once = refreshed
    const { expiresAt } = session.get('tokens')
    nowMs = 70000
    return { first, once, expiresAt, later: await freshTokens.accessTokenOf(session), twice: refreshed }`)
  t.strictSame(result, { first: ['a', 'a', 'a'], once: 1, expiresAt: 60_000, later: 'a', twice: 2 }, 'one exchange is shared, and the next end leads to the next one')
})
