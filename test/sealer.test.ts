import t from 'tap'
import { createSealer, type SealerOptions } from '../lib/sealer'
import { addRoutes, appWith, KEY, OTHER_KEY } from './helpers/app'

const ID = '00112233445566778899aabbccddeeff'

t.test('a sealer seals and opens', async t => {
  const sealer = createSealer({ key: KEY, now: () => 1_000_000 })
  const opened = sealer.open(sealer.seal({ user: 'ada' }))
  t.match(opened, { ok: true, data: { user: 'ada' }, info: { id: /^[0-9a-f]{32}$/, createdAt: 1_000_000, renewedAt: 1_000_000, expiresAt: 1_000_000 + 86400_000 } })
})

t.test('tokens of a sealer and of the plugin open in each other', async t => {
  const app = await appWith(t, { key: KEY, cookieName: '__Host-session' })
  addRoutes(app)
  const sealer = createSealer({ key: [OTHER_KEY, KEY], cookieName: '__Host-session' })
  t.match(sealer.open(app.encodeSecureSession(app.createSecureSession({ user: 'ada' }))), { ok: true, data: { user: 'ada' } })
  const older = createSealer({ key: KEY, cookieName: '__Host-session' })
  t.strictSame((await app.inject({ url: '/get', headers: { cookie: `__Host-session=${older.seal({ user: 'grace' })}` } })).json(), { user: 'grace' })
})

t.test('a sealer with a tenant opens what the plugin seals for this tenant', async t => {
  const app = await appWith(t, { key: KEY, tenant: () => 'a' })
  const { session } = (await app.secureSession.forTenant('a')).cookiesFor({ user: 'ada' })
  const open = (tenant: string | undefined): object => createSealer({ key: KEY, tenant }).open(session as string)
  t.match(open('a'), { ok: true, data: { user: 'ada' } })
  for (const other of ['b', undefined]) t.strictSame(open(other), { ok: false, reason: 'forged' })
  t.throws(() => open('a b'), { code: 'FST_SESSION_INVALID_OPTION' })
})

t.test('with the info of an opened session, the sealer continues that session', async t => {
  let nowMs = 1_000_000
  const sealer = createSealer({ key: KEY, now: () => nowMs })
  const first = sealer.open(sealer.seal({ a: 1 }))
  if (!first.ok) return t.fail()
  nowMs += 5000
  t.match(sealer.open(sealer.seal({ a: 2 }, first.info)), { info: { id: first.info.id, createdAt: 1_000_000, renewedAt: 1_005_000 } })
})

t.test('every refusal of a sealer has its reason, and none throws', async t => {
  let nowMs = Date.UTC(2026, 0, 1)
  const sealer = createSealer({ key: KEY, now: () => nowMs, idle: 60, absolute: 600 })
  const token = sealer.seal({})
  const reasons = (text: unknown): string => (sealer.open(text as string) as { reason: string }).reason
  t.equal(reasons('?'), 'malformed')
  t.equal(reasons(undefined), 'malformed')
  t.equal(reasons(Symbol.iterator), 'malformed')
  t.equal(reasons(Object.create(null)), 'malformed')
  t.equal(reasons('Ag'), 'unknown-version')
  t.equal(reasons(createSealer({ key: OTHER_KEY }).seal({})), 'unknown-key')
  t.equal(reasons(createSealer({ key: KEY, cookieName: 'x' }).seal({})), 'forged')
  t.equal(reasons(createSealer({ key: KEY, serializer: { serialize: () => 'x', deserialize: () => ({}) } }).seal({})), 'unsupported')
  nowMs += 60_000
  t.equal(reasons(token), 'expired')
  nowMs -= 120_001
  t.equal(reasons(token), 'from-the-future')
})

t.test('padTo of a sealer hides the length', async t => {
  const sealer = createSealer({ key: KEY, padTo: 128 })
  t.equal(sealer.seal({ role: 'admin' }).length, sealer.seal({ role: 'user' }).length)
})

t.test('wrong use of a sealer throws at the call', async t => {
  for (const options of [undefined, null, { key: 'x' }, {}, { key: KEY, cookie: {} }, { key: KEY, cookieName: 'a b' }, { key: KEY, now: 5 }]) {
    t.throws(() => createSealer(options as SealerOptions), { code: /^FST_SESSION_INVALID_(OPTION|KEY)$/ })
  }
  const sealer = createSealer({ key: KEY })
  for (const data of [null, undefined, 'x', [1]]) t.throws(() => sealer.seal(data as never), { code: 'FST_SESSION_INVALID_OPTION' })
  for (const info of [null, { id: [ID], createdAt: 1 }, {}, { id: ID }, { id: 'x', createdAt: 1 }, { id: ID.toUpperCase(), createdAt: 1 }, { id: ID, createdAt: -1 }, { id: ID, createdAt: 1.5 }, { id: ID, createdAt: 2 ** 48 }]) {
    t.throws(() => sealer.seal({}, info as never), { code: 'FST_SESSION_INVALID_OPTION' })
  }
  t.throws(() => sealer.seal({ toJSON: () => [1] }), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
  t.match(sealer.open(sealer.seal(new Date() as never)), { ok: true, data: {} })
  t.throws(() => sealer.seal({ a: 'x'.repeat(5000) }), { code: 'FST_SESSION_TOO_LARGE' })
  t.throws(() => sealer.seal({ a: 1n }), { code: 'FST_SESSION_NOT_SERIALIZABLE' })
})

t.test('code of the caller that runs during seal cannot mix bytes of another token into it', async t => {
  const victim = createSealer({ key: KEY, cookieName: 'victim' })
  const token = victim.seal({ secret: 'of the victim' })
  const serialize = (): Buffer => {
    const bytes = Buffer.from('{"mine":1}')
    bytes.copy = () => { victim.open(token); return bytes.length }
    return bytes
  }
  const sealer = createSealer({ key: KEY, serializer: { serialize, deserialize: bytes => JSON.parse(bytes.toString()) } })
  t.match(sealer.open(sealer.seal({})), { data: { mine: 1 } })

  let reads = 0
  const info = { get id () { return reads++ === 0 ? ID : '' }, createdAt: Date.now() }
  t.match(sealer.open(sealer.seal({}, info)), { info: { id: ID } })
})

t.test('a serializer of a sealer may return any bytes', async t => {
  const serializer = { serialize: () => new Uint8Array([123, 125]) as Buffer, deserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) }
  const sealer = createSealer({ key: KEY, serializer })
  t.match(sealer.open(sealer.seal({})), { ok: true, data: {} })
})
