import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { appWith, KEY, OTHER_KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { listen } from '../neighbours/helpers'
import { guarded, subject, visitor, WITH_SUBJECT } from './site'

const CHALLENGE = 'Cookie realm="session", cookie-name=session'
const STALE_CHALLENGE = `${CHALLENGE}, error="insufficient_user_authentication", max_age="300"`

async function challenge (app: FastifyInstance, url = '/private'): Promise<unknown> {
  return (await app.inject(url)).headers['www-authenticate']
}

t.test('a 401 names the cookie in WWW-Authenticate, also for HEAD; a reply that passes does not', async t => {
  const app = await guarded(t)
  const address = await listen(app)
  const refused = await fetch(`${address}/private`)
  t.strictSame([refused.status, refused.headers.get('www-authenticate')], [401, CHALLENGE])
  const head = await fetch(`${address}/private`, { method: 'HEAD' })
  t.strictSame([head.status, head.headers.get('www-authenticate')], [401, CHALLENGE])
  t.equal((await (await visitor(app, 'ada')).get('/private')).headers['www-authenticate'], undefined)
  t.equal(await challenge(app, '/nowhere'), undefined)
})

t.test('the 401 for a stale login says so, and how old a login may be, as in RFC 9470', async t => {
  const clock = fakeClock(t)
  const app = await guarded(t)
  app.get('/transfer', { onRequest: app.requireSession({ freshWithin: '5m' }) }, async () => ({}))
  app.get('/quick', { onRequest: app.requireSession({ freshWithin: 1.5 }) }, async () => ({}))
  const ada = await visitor(app, 'ada')
  t.equal((await ada.get('/transfer')).headers['www-authenticate'], undefined)
  t.equal(await challenge(app, '/transfer'), CHALLENGE)
  clock.advance(300_000)
  t.equal((await ada.get('/transfer')).headers['www-authenticate'], STALE_CHALLENGE)
  t.match((await ada.get('/quick')).headers['www-authenticate'], /max_age="1"$/)
})

t.test('the challenge contains the cookie name unchanged, and the session name in a valid form', async t => {
  const names = [['__Host-session', 'login', 'login'], ['s', 'my "own" \\ session', 'my \\"own\\" \\\\ session'], ['s', 'sitzung für\nalle ☃', 'sitzung f_r_alle _']] as const
  for (const [cookieName, sessionName, realm] of names) {
    const app = await appWith(t, { key: KEY, subject, sessionName, cookieName })
    app.get('/private', { onRequest: app.requireSession() }, async () => ({}))
    t.equal(await challenge(app), `Cookie realm="${realm}", cookie-name=${cookieName}`)
  }
})

t.test('the challenge stays on the reply of the app\'s own error handler', async t => {
  const app = await appWith(t, WITH_SUBJECT)
  const seen: unknown[] = []
  app.setErrorHandler(async (error: { code: string, statusCode: number }, _request, reply) => {
    seen.push(error.code, error.statusCode)
    return await reply.code(401).send({ sorry: true })
  })
  app.get('/private', { onRequest: app.requireSession() }, async () => ({}))
  app.get('/own', { onRequest: app.requireSession(), errorHandler: async (_error, _request, reply) => await reply.redirect('/login', 303) }, async () => ({}))
  const refused = await app.inject('/private')
  t.strictSame([refused.json(), refused.headers['www-authenticate']], [{ sorry: true }, CHALLENGE])
  t.strictSame(seen, ['FST_SESSION_REQUIRED', 401])
  const redirected = await app.inject('/own')
  t.strictSame([redirected.statusCode, redirected.headers.location], [303, '/login'])
})

t.test('if one of several guards must pass, each adds its challenge once, beside the challenges of others', async t => {
  const app = await appWith(t, [WITH_SUBJECT, { key: OTHER_KEY, sessionName: 'staff', subject }])
  const guards = [app.requireSession(), app.requireSession({ sessionName: 'staff' }), app.requireSession()]
  app.get('/either', {
    async onRequest (request, reply) {
      reply.header('www-authenticate', 'Basic realm="files"')
      const results = await Promise.allSettled(guards.map(async guard => { await guard(request, reply) }))
      const refused = results.find(result => result.status === 'rejected')
      if (refused !== undefined) throw refused.reason
    }
  }, async () => ({}))
  t.strictSame(await challenge(app, '/either'), ['Basic realm="files"', CHALLENGE, 'Cookie realm="staff", cookie-name=staff'])
})
