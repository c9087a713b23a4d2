import t, { type Test } from 'tap'
import secureSession from '../../index'
import { appWith, bareApp, KEY, OTHER_KEY, WARN } from '../helpers/app'
import { addPages, boundBrowser, cookieLines, DeviceBrowser, loggedIn, OPTIONS, shopOf } from './site'

const subject = (session: any): string | undefined => session.get('user')
const when = (): boolean => true

async function refuses (t: Test, options: object, message: RegExp, what = ''): Promise<void> {
  await t.rejects(async () => await appWith(t, { key: KEY, ...options } as secureSession.Options), { code: 'FST_SESSION_INVALID_OPTION', message }, what)
}

const INVALID: ReadonlyArray<readonly [what: string, options: object, message: RegExp]> = [
  ['a text', { subject, deviceBound: 'yes' }, /"deviceBound" must be true, false or an object.*found a string/],
  ['null', { subject, deviceBound: null }, /"deviceBound" must be true.*found null/],
  ['an unknown name', { subject, deviceBound: { proofFr: 1 } }, /"deviceBound": "proofFr" is unknown; known are when, proofFor, path/],
  ['neither when nor subject', { deviceBound: true }, /"deviceBound" needs the option "subject", or its own "when"/],
  ['a when that is no function', { subject, deviceBound: { when: true } }, /"deviceBound\.when" must be a function.*found true/],
  ['a proof for less than a second', { subject, deviceBound: { proofFor: 0.9 } }, /"deviceBound\.proofFor" must be from 1 second to 1 day; found 0\.9/],
  ['a proof for more than a day', { subject, deviceBound: { proofFor: '25h' } }, /"deviceBound\.proofFor"/],
  ['a proof for a text', { subject, deviceBound: { proofFor: 'long' } }, /"deviceBound\.proofFor" must be seconds/],
  ['offer of the wrong type', { subject, deviceBound: { offer: 1 } }, /"deviceBound\.offer" must be true or false/],
  ['enforce of the wrong type', { subject, deviceBound: { enforce: null } }, /"deviceBound\.enforce" must be true or false/],
  ['no SameSite', { subject, deviceBound: true, cookie: { sameSite: false } }, /"deviceBound".*cookie\.sameSite: false/],
  ['a partitioned cookie', { subject, deviceBound: true, cookie: { partitioned: true } }, /"deviceBound".*cookie\.partitioned/],
  ['a cookie that is not secure', { subject, deviceBound: true, cookie: { secure: false } }, /"deviceBound".*cookie\.secure: false/],
  ['a domain without site', { subject, deviceBound: true, cookie: { domain: '.Example.com' } }, /"deviceBound" needs "site" beside cookie\.domain, such as "https:\/\/example\.com"/],
  ['site without a domain', { subject, deviceBound: { site: 'https://example.com' } }, /"deviceBound\.site" must have the host of cookie\.domain.*found "example\.com" and no/],
  ['site of another host', { subject, deviceBound: { site: 'https://www.example.com' }, cookie: { domain: 'example.com' } }, /"deviceBound\.site" must have the host/],
  ['site that is no origin', { subject, deviceBound: { site: 'https://example.com/' }, cookie: { domain: 'example.com' } }, /"deviceBound\.site" must be an origin.*found "https/],
  ['site without TLS', { subject, deviceBound: { site: 'http://example.com' }, cookie: { domain: 'example.com' } }, /"deviceBound\.site" must be an origin/],
  ['site that is no URL', { subject, deviceBound: { site: 'example.com' }, cookie: { domain: 'example.com' } }, /"deviceBound\.site"/],
  ['site of the wrong type', { subject, deviceBound: { site: 7 }, cookie: { domain: 'example.com' } }, /"deviceBound\.site".*found 7/],
  ['initiators that are no array', { subject, deviceBound: { refreshInitiators: 'a.example' } }, /"deviceBound\.refreshInitiators" must be an array.*found a string/],
  ['an initiator that is no host', { subject, deviceBound: { refreshInitiators: ['https://a.example'] } }, /"deviceBound\.refreshInitiators"/],
  ['an initiator that is a number', { subject, deviceBound: { refreshInitiators: [7] } }, /"deviceBound\.refreshInitiators"/],
  ['a path of the wrong type', { subject, deviceBound: { path: 7 } }, /"deviceBound\.path" must be a path.*found 7/],
  ['a relative path', { subject, deviceBound: { path: 'dbsc' } }, /"deviceBound\.path" must be a path/],
  ['the path /', { subject, deviceBound: { path: '/' } }, /"deviceBound\.path" must be a path/],
  ['a path with a slash at its end', { subject, deviceBound: { path: '/dbsc/' } }, /"deviceBound\.path" must be a path/],
  ['a path with a parameter', { subject, deviceBound: { path: '/:id' } }, /"deviceBound\.path" must be a path/],
  ['a path with a wildcard', { subject, deviceBound: { path: '/*' } }, /"deviceBound\.path" must be a path/],
  ['a path that leads upwards', { subject, deviceBound: { path: '/a/../b' } }, /"deviceBound\.path" must be a path/],
  ['a path that stays where it is', { subject, deviceBound: { path: '/a/.' } }, /"deviceBound\.path" must be a path/],
  ['a path with a quote', { subject, deviceBound: { path: '/a";x="' } }, /"deviceBound\.path" must be a path/],
  ['a path beside that of the cookie', { subject, deviceBound: { path: '/dbsc' }, cookie: { path: '/app' } }, /"deviceBound\.path" must begin with "\/app\/"/],
  ['a path that only begins like that of the cookie', { subject, deviceBound: { path: '/application/dbsc' }, cookie: { path: '/app' } }, /"deviceBound\.path" must begin with "\/app\/"/],
  ['the path of the cookie itself', { subject, deviceBound: { path: '/app' }, cookie: { path: '/app' } }, /"deviceBound\.path" must begin with "\/app\/"/],
  ['a session name that no path can have', { subject, deviceBound: true, cookieName: 's', sessionName: 'my session' }, /"deviceBound\.path" must be a path.*its default, "\/dbsc\/my session"/]
]

for (const [what, options, message] of INVALID) {
  t.test(`deviceBound is refused at boot with ${what}`, async t => { await refuses(t, options, message) })
}

t.test('deviceBound is accepted in each of its forms, and false or nothing is off', async t => {
  for (const deviceBound of [true, {}, { proofFor: 1 }, { proofFor: '1d' }, { when, offer: false, enforce: false }, { path: '/a-b_c.d~e/f' }, { refreshInitiators: ['*', '*.a.example', 'b.example', 'localhost'] }]) {
    const app = await shopOf(t, { deviceBound })
    t.ok(app.hasRoute({ method: 'POST', url: `${(deviceBound as { path?: string }).path ?? '/dbsc/session'}/register` }))
  }
  for (const deviceBound of [undefined, false]) {
    const app = await shopOf(t, { subject: undefined, deviceBound, cookie: { secure: false } })
    t.notOk(app.hasRoute({ method: 'POST', url: '/dbsc/session/register' }))
    t.strictSame(cookieLines(await new DeviceBrowser(app).get('/login/ada')), ['+session'])
  }
  await appWith(t, { key: KEY, subject, deviceBound: { site: 'https://example.com:8443' }, cookie: { domain: '.example.com' } })
})

t.test('a proof for less than five minutes is a warning', async t => {
  for (const [proofFor, warned] of [['5m', false], [299, true]] as const) {
    const app = await shopOf(t, { deviceBound: { proofFor } })
    t.equal(app.lines.some(({ level, msg }) => level === WARN && /"deviceBound\.proofFor" is shorter than 5 minutes/.test(msg)), warned)
  }
})

t.test('the names of the pass and the proof are those of the session, whether or not it is bound', async t => {
  for (const cookieName of ['session.u', 'session.d']) {
    await t.rejects(async () => await appWith(t, [{ key: KEY }, { key: KEY, sessionName: 'other', cookieName }]), { code: 'FST_SESSION_INVALID_OPTION', message: /two sessions would share "session\.[ud]"/ })
    await refuses(t, { legacy: [secureSession.sealedOpener({ cookieName })] }, /legacy"\[0\]\.cookieName is the name of another cookie/)
  }
  const app = await appWith(t, { key: KEY })
  t.equal(app.secureSession.stripCookies('a=1; session=x; session.u=y; session.d=z; session.t=w'), 'a=1')
  const renamed = await appWith(t, { key: KEY, cookieName: 'new', legacy: [secureSession.sealedOpener({ cookieName: 'old' })] })
  t.equal(renamed.secureSession.stripCookies('old.u=1; old.d=2; a=1'), 'a=1')
})

t.test('the routes are where the cookie and the scope of the plugin are', async t => {
  for (const [prefix, cookie, deviceBound, expected] of [
    ['', { path: '/app' }, true, '/app/dbsc/session'],
    ['', { path: '/app/' }, true, '/app/dbsc/session'],
    ['/inner', {}, true, '/inner/dbsc/session'],
    ['/inner/', {}, true, '/inner/dbsc/session'],
    ['/inner', { path: '/inner' }, true, '/inner/dbsc/session'],
    ['/inner', { path: '/inner/app' }, true, '/inner/app/dbsc/session'],
    ['/inner', {}, { path: '/inner/keys' }, '/inner/keys']
  ] as const) {
    const app = bareApp(t, { trustProxy: true })
    await app.register(async scope => {
      await scope.register(secureSession, { ...OPTIONS, cookie, deviceBound } as secureSession.Options)
      scope.get('/login', async ({ session }) => { session.set('user', 'ada'); return {} })
    }, { prefix })
    const browser = new DeviceBrowser(app, { path: expected })
    await browser.get(`${prefix}/login`.replace('//', '/'))
    t.equal((await browser.register()).json().refresh_url, `${expected}/refresh`)
    t.equal((await browser.refresh()).statusCode, 204)
  }
  for (const [prefix, options] of [['/inner', { deviceBound: { path: '/dbsc' } }], ['/inner', { cookie: { path: '/other' } }]] as const) {
    await t.rejects(async () => {
      const app = bareApp(t)
      await app.register(async scope => { await scope.register(secureSession, { ...OPTIONS, ...options } as secureSession.Options) }, { prefix })
    }, { code: 'FST_SESSION_INVALID_OPTION', message: /"deviceBound\.path" must begin with "\/inner\/" and go on, the prefix/ })
  }
})

t.test('two sessions have two paths', async t => {
  const two = (path: string): object[] => [{ key: KEY, deviceBound: { when, path } }, { key: KEY, sessionName: 'staff', deviceBound: { when, path: '/keys' } }]
  await t.rejects(async () => await appWith(t, two('/keys') as secureSession.Options), { code: 'FST_SESSION_INVALID_OPTION', message: /"deviceBound\.path": session "(?:session|staff)" also uses "\/keys"/ })
  await appWith(t, two('/others') as secureSession.Options)
})

t.test('an app that has a route at one of the two paths already fails at boot', async t => {
  const app = bareApp(t)
  app.post('/dbsc/session/register', async () => ({}))
  await t.rejects(async () => { await app.register(secureSession, OPTIONS as secureSession.Options) }, { code: 'FST_ERR_DUPLICATED_ROUTE' })
})

t.test('two scopes with one session share its routes, and two with other cookies have two paths', async t => {
  const app = bareApp(t, { trustProxy: true })
  for (const name of ['a', 'b']) {
    await app.register(async scope => {
      await scope.register(secureSession, OPTIONS as secureSession.Options)
      scope.get(`/${name}/login`, async ({ session }) => { session.set('user', name); return {} })
      scope.get(`/${name}/me`, async ({ session }) => session.info)
    })
  }
  const browser = new DeviceBrowser(app)
  await browser.get('/b/login')
  t.equal((await browser.register()).statusCode, 200)
  t.equal((await browser.refresh()).statusCode, 204)
  t.match([await browser.ask('/a/me'), await browser.ask('/b/me')], [{ bound: true }, { bound: true }])
  await t.rejects(async () => {
    const app = bareApp(t)
    for (const domain of ['a.example', 'b.example']) {
      const options = { ...OPTIONS, cookie: { domain }, deviceBound: { site: `https://${domain}` } }
      await app.register(async scope => { await scope.register(secureSession, options as secureSession.Options) })
    }
  }, { message: /"deviceBound\.path": session "session" also uses "\/dbsc\/session"/ })
})

t.test('a session under a prefixed name is bound as any other', async t => {
  const app = await shopOf(t, { cookieName: '__Host-session' })
  const browser = new DeviceBrowser(app)
  t.strictSame(cookieLines(await browser.get('/login/ada')), ['-__Host-session.d', '+__Host-session', '+__Host-session.u'])
  t.equal((await browser.register()).json().credentials[0].name, '__Host-session.d')
  t.equal((await browser.refresh()).statusCode, 204)
  t.match(await browser.ask('/me'), { bound: true })
})

t.test('in an array of sessions each has its own routes, cookies and keys', async t => {
  const app = await appWith(t, [OPTIONS, { key: OTHER_KEY, sessionName: 'staff', deviceBound: { when: (session: any) => session.has('role') } }] as secureSession.Options, { trustProxy: true })
  addPages(app)
  app.get('/staff', async request => { (request as any).staff.set('role', 'admin'); return {} })
  app.get('/both', async request => [request.session.info, (request as any).staff.info])
  const user = await boundBrowser(app)
  const staff = new DeviceBrowser(app, { session: 'staff' })
  for (const [name, value] of user.cookies) staff.cookies.set(name, value)
  await staff.get('/staff')
  await staff.register()
  await staff.refresh()
  t.match(await staff.ask('/both'), [{ bound: true }, { bound: true }])
  const mixed = staff.copy()
  mixed.identifier = user.identifier
  t.match((await mixed.refresh()).json(), { continue: false }, 'the identifier of the other one is none')
  t.strictSame([...(await loggedIn(app)).cookies.keys()], ['session', 'session.u'])
})
