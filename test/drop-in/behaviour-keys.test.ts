import t, { type Test } from 'tap'
import { appWith, bootErrorOf, KEY, OTHER_KEY, SALT, SECRET, withEach, type Plugin } from './packages'
import { addressOf, Visitor } from './visitor'
import { quickPassphrases } from '../helpers/quick-passphrases'

t.teardown(quickPassphrases())

/** What the peer's users know of keys: their forms, their rotation in an array, passphrases, and what boot refuses. */

function addRoutes (app: any): void {
  app.get('/set', async ({ session }: any) => { session.set('data', { some: 'data' }); return 'set' })
  app.get('/get', async ({ session }: any) => session.data())
  app.get('/sign', async (request: any, reply: any) => reply.setCookie('mine', 'my value', { path: '/', signed: true, httpOnly: true, maxAge: 3600 }).send('signed'))
  app.get('/unsign', async (request: any) => request.unsignCookie(request.cookies.mine))
}

async function serverOf (t: Test, plugin: Plugin, options: object): Promise<string> {
  const app = appWith(t, plugin, { cookie: { path: '/' }, ...options })
  addRoutes(app)
  return await addressOf(app)
}

const FORMS: Record<string, object> = {
  'a Buffer': { key: KEY },
  'text in base64': { key: KEY.toString('base64') },
  'text in base64, with the newline that a shell leaves': { key: `${KEY.toString('base64')}\n` },
  'an array of Buffers': { key: [KEY, OTHER_KEY] },
  'an array of text': { key: [KEY.toString('base64'), OTHER_KEY.toString('base64')] },
  'an array of both': { key: [KEY, OTHER_KEY.toString('base64')] },
  'a key with a salt that is not used': { key: KEY, salt: Buffer.alloc(16, 1) },
  'a secret alone': { secret: SECRET },
  'a secret and a salt as text': { secret: SECRET, salt: SALT },
  'a secret and a salt as Buffers': { secret: Buffer.from(SECRET), salt: Buffer.from(SALT) },
  'a secret of just 32 bytes': { secret: 'a'.repeat(32), salt: 'a'.repeat(16) },
  'a secret, and a key that is undefined': { key: undefined, secret: SECRET, salt: SALT }
}

for (const [what, options] of Object.entries(FORMS)) {
  withEach(t, `${what} seals sessions, and signs cookies of the app if it has no @fastify/cookie`, async (t, plugin) => {
    const visitor = new Visitor(await serverOf(t, plugin, options))
    t.match(await visitor.get('/set'), { status: 200, cookies: [{ name: 'session' }] })
    t.strictSame((await visitor.get('/get')).body, { data: { some: 'data' } })
    await visitor.get('/sign')
    t.match((await visitor.get('/unsign')).body, { valid: true, value: 'my value' })
    visitor.cookies.set('mine', 'my%20value.forged')
    t.match((await visitor.get('/unsign')).body, { valid: false })
  })
}

withEach(t, 'in an array of keys the first seals and all open', async (t, plugin) => {
  const visitor = new Visitor(await serverOf(t, plugin, { key: [KEY, OTHER_KEY] }))
  await visitor.get('/set')
  const turned = visitor.at(await serverOf(t, plugin, { key: [OTHER_KEY, KEY] }))
  t.strictSame((await turned.get('/get')).body, { data: { some: 'data' } })
  await turned.get('/set')
  t.strictSame((await turned.at(await serverOf(t, plugin, { key: OTHER_KEY })).get('/get')).body, { data: { some: 'data' } })
  t.strictSame((await visitor.at(await serverOf(t, plugin, { key: OTHER_KEY })).get('/get')).body, {})
})

withEach(t, 'a secret and its salt make the same key in every process; another salt makes another', async (t, plugin) => {
  const visitor = new Visitor(await serverOf(t, plugin, { secret: SECRET, salt: SALT }))
  await visitor.get('/set')
  t.strictSame((await visitor.at(await serverOf(t, plugin, { secret: SECRET, salt: Buffer.from(SALT) })).get('/get')).body, { data: { some: 'data' } })
  t.strictSame((await visitor.at(await serverOf(t, plugin, { secret: SECRET, salt: 'another salt 16b' })).get('/get')).body, {})
})

const REFUSED: Record<string, [object, RegExp | string]> = {
  'a key that is too short': [{ key: Buffer.alloc(27, 1) }, /key must be 32 bytes/],
  'a key that is too long': [{ key: Buffer.alloc(37, 1) }, /key must be 32 bytes/],
  'text of a key that is too short': [{ key: Buffer.alloc(5).toString('base64') }, /key must be 32 bytes/],
  'a key that is neither text nor a Buffer': [{ key: true }, /key must be a string or a Buffer/],
  'a wrong entry in an array': [{ key: [true] }, /Key must be string or buffer/],
  'a wrong entry after a valid one': [{ key: [KEY, 5] }, /Key must be string or buffer/],
  'no key and no secret': [{ key: undefined }, /key or secret must specified/],
  'no options at all': [{}, /key or secret must specified/],
  'an empty array of keys': [{ key: [] }, /key/],
  'a secret of 31 bytes': [{ secret: 'a'.repeat(31) }, 'secret must be at least 32 bytes'],
  'a salt of 15 bytes': [{ secret: 'a'.repeat(32), salt: 'a'.repeat(15) }, 'salt must be length 16'],
  'a salt of 17 bytes': [{ secret: 'a'.repeat(32), salt: Buffer.alloc(17) }, 'salt must be length 16']
}

for (const [what, [options, message]] of Object.entries(REFUSED)) {
  withEach(t, `boot refuses ${what}, with the same words in the message`, async (t, plugin) => {
    const said = await bootErrorOf(t, plugin, options)
    if (typeof message === 'string') t.equal(said, message)
    else t.match(said, message)
  })
}
