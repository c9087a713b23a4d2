import t from 'tap'
import { parseLine, setCookies, type Browser } from '../helpers/browser'
import { fakeClock } from '../helpers/clock'
import { appOfSizes, BYTES, filled, sizeIn } from './sized'

const SIZES = Object.keys(BYTES) as Array<keyof typeof BYTES>

/** The Set-Cookie lines of a response, by whether they set or clear. */
async function linesOf (browser: Browser, url: string): Promise<{ set: string[], cleared: string[] }> {
  const lines = setCookies(await browser.get(url)).map(parseLine)
  return {
    set: lines.filter(({ value }) => value !== '').map(({ name }) => name),
    cleared: lines.filter(({ value }) => value === '').map(({ name }) => name)
  }
}

t.test('a session that has become smaller clears the cookies that it no longer needs at once', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.three)
  t.strictSame(await linesOf(browser, `/fill/${BYTES.two}`), { set: ['session', 'session.1'], cleared: ['session.2'] })
  t.strictSame(await linesOf(browser, `/fill/${BYTES.one}`), { set: ['session'], cleared: ['session.1'] })
  t.strictSame(await linesOf(browser, `/fill/${BYTES.one + 1}`), { set: ['session'], cleared: [] })
  t.strictSame(await linesOf(browser, `/fill/${BYTES.three}`), { set: ['session', 'session.1', 'session.2'], cleared: [] })
  t.equal(await sizeIn(browser), BYTES.three)
})

t.test('parts beside a token of one cookie are ignored, and cleared at the next write', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.one)
  for (const leftover of ['', 'junk', 'x'.repeat(4087)]) {
    browser.cookies.set('session.1', leftover)
    browser.cookies.set('session.2', leftover)
    t.equal(await sizeIn(browser), BYTES.one)
    t.strictSame(await linesOf(browser, '/get'), { set: [], cleared: [] }, 'a read writes nothing')
    t.strictSame(await linesOf(browser, `/fill/${BYTES.one}`), { set: ['session'], cleared: ['session.1', 'session.2'] })
    t.strictSame([...browser.cookies.keys()], ['session'])
  }
})

t.test('a new login clears the parts of an unreadable session', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.three)
  browser.cookies.set('session.1', 'junk')
  t.strictSame(await linesOf(browser, `/fill/${BYTES.one}`), { set: ['session'], cleared: ['session.1', 'session.2'] })
  t.equal(await sizeIn(browser), BYTES.one)
})

t.test('cookies of other names are never touched, even if their names are similar', async t => {
  const app = await appOfSizes(t)
  const names = ['sessionX', 'session.', 'session.0', 'session.3', 'session.01', 'session.1.', 'session.10', 'session.1x', 'Session.1', 'xsession.1', 'session.t.1', 'session-1']
  const browser = await filled(app, BYTES.three)
  for (const name of names) browser.cookies.set(name, 'mine')
  for (const url of [`/fill/${BYTES.two}`, `/fill/${BYTES.one}`, '/regenerate', '/delete']) {
    const { set, cleared } = await linesOf(browser, url)
    t.strictSame([...set, ...cleared].filter(name => !['session', 'session.1', 'session.2', 'session.t'].includes(name)), [])
  }
  t.strictSame([...browser.cookies.keys()], names)
})

t.test('without splitting, a cookie with the name of a part belongs to the app', async t => {
  const app = await appOfSizes(t, {})
  const browser = await filled(app, BYTES.one)
  browser.cookies.set('session.1', 'mine')
  for (const url of [`/fill/${BYTES.one}`, '/regenerate', `/fill/${BYTES.one}`, '/delete']) await browser.get(url)
  t.strictSame([...browser.cookies], [['session.1', 'mine']])
})

t.test('a session opens after maxCookies was raised, and after it was lowered', async t => {
  const [one, three] = [await appOfSizes(t, {}), await appOfSizes(t)]
  const small = (await filled(one, BYTES.one)).copy(three)
  t.equal(await sizeIn(small), BYTES.one)

  const large = (await filled(three, BYTES.three)).copy(one)
  t.equal(await sizeIn(large), BYTES.three)
  t.equal((await large.get('/set/more/1')).json().code, 'FST_SESSION_TOO_LARGE')
  t.equal(await sizeIn(large), BYTES.three, 'what cannot be written stays as it is')
  t.strictSame(await linesOf(large, `/fill/${BYTES.one}`), { set: ['session'], cleared: ['session.1', 'session.2'] })
  t.strictSame([...large.cookies.keys()], ['session'])
})

t.test('with maxCookies 2, the third name belongs to the session, too, and is cleared', async t => {
  const [two, three] = [await appOfSizes(t, { maxCookies: 2 }), await appOfSizes(t)]
  const browser = (await filled(three, BYTES.three)).copy(two)
  t.strictSame(await linesOf(browser, `/fill/${BYTES.two}`), { set: ['session', 'session.1'], cleared: ['session.2'] })
  browser.cookies.set('session.2', 'left over by a response that came late')
  t.equal(await sizeIn(browser), BYTES.two, 'ignored')
  t.strictSame(await linesOf(browser, `/fill/${BYTES.two}`), { set: ['session', 'session.1'], cleared: ['session.2'] })
  t.strictSame(await linesOf(browser, '/delete'), { set: [], cleared: ['session', 'session.1', 'session.2'] })
})

t.test('if an older, larger session lies beside the newer one, a logout clears its parts as well', async t => {
  const clock = fakeClock(t)
  const large = await filled(await appOfSizes(t), BYTES.three)
  clock.advance(1000)
  const one = await appOfSizes(t, {})
  const small = await filled(one, BYTES.one)
  const headers = { cookie: `${small.header}; ${large.header}` }
  t.strictSame((await one.inject({ url: '/size', headers })).json(), { size: BYTES.one })
  t.strictSame(setCookies(await one.inject({ url: '/delete', headers })).map(line => parseLine(line).name), ['session', 'session.1', 'session.2'])
})

t.test('after maxCookies was lowered, a write or a logout clears parts that no longer open', async t => {
  const large = await filled(await appOfSizes(t), BYTES.three)
  const app = await appOfSizes(t, {})
  for (const url of [`/fill/${BYTES.one}`, '/delete']) {
    const browser = large.copy(app)
    browser.cookies.set('session.2', 'bent')
    t.equal(await sizeIn(browser), null)
    t.strictSame((await linesOf(browser, url)).cleared.filter(name => name !== 'session'), ['session.1', 'session.2'])
  }
})

t.test('delete clears every part, also if the request had none', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.three)
  t.strictSame(await linesOf(browser, '/delete'), { set: [], cleared: ['session', 'session.1', 'session.2'] })
  t.equal(browser.cookies.size, 0)
  t.strictSame(await linesOf(browser, '/delete'), { set: [], cleared: ['session', 'session.1', 'session.2'] }, 'they may lie on another path')
})

t.test('a login ends a split session and clears all of its parts', async t => {
  const app = await appOfSizes(t)
  const browser = await filled(app, BYTES.three)
  t.strictSame(await linesOf(browser, '/regenerate'), { set: ['session'], cleared: ['session.1', 'session.2'] })
  t.strictSame([...browser.cookies.keys()], ['session'])
})

t.test('parts are sent, migrated and cleared with the session\'s own attributes', async t => {
  const app = await appOfSizes(t)
  app.get('/move', async ({ session }) => { session.options({ path: '/app', sameSite: 'strict' }); return {} })
  const browser = await filled(app, BYTES.two)
  const moved = setCookies(await browser.get('/move')).map(parseLine)
  t.strictSame(moved.map(({ name, value, attributes }) => [name, value === '', /Path=([^;]*)/.exec(attributes)?.[1]]), [
    ['session', true, '/'], ['session.1', true, '/'], ['session', false, '/app'], ['session.1', false, '/app']
  ])
  t.match(moved[3]?.attributes, /SameSite=Strict/)
  const cleared = setCookies(await browser.get('/delete')).map(parseLine)
  const at = (path: string): string[] => cleared.filter(({ attributes }) => attributes.includes(`Path=${path};`)).map(({ name }) => name)
  t.strictSame([at('/app'), at('/')], [['session', 'session.1', 'session.2'], []])
})

t.test('after two responses in either order, the cookies of the browser open', async t => {
  const app = await appOfSizes(t)
  for (const before of SIZES) {
    for (const first of SIZES) {
      for (const last of SIZES) {
        const browser = await filled(app, BYTES[before])
        const [one, other] = [browser.copy(), browser.copy()]
        const responses = await Promise.all([one.get(`/fill/${BYTES[first] + 1}`), other.get(`/fill/${BYTES[last] + 2}`)])
        for (const response of responses) setCookies(response).forEach(line => { browser.keep(line) })
        t.equal(await sizeIn(browser), BYTES[last] + 2, `${before}, then ${first}, then ${last}`)
        await browser.get(`/fill/${BYTES.one}`)
        t.strictSame([...browser.cookies.keys()], ['session'])
      }
    }
  }
})
