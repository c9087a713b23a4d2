import t from 'tap'
import { addRoutes, appWith } from '../helpers/app'
import { Browser, setCookies } from '../helpers/browser'

type Act = (session: any) => void

/** The Set-Cookie lines and Cache-Control of a request that does so with a session that has these values. */
async function after (act: Act): Promise<{ lines: string[], cacheControl: unknown, changed: boolean }> {
  const app = await appWith(t)
  addRoutes(app)
  app.get('/begin', async ({ session }) => {
    for (const [key, value] of Object.entries({ text: 'a', number: 0, flag: false, nothing: null, cart: ['x'] })) session.set(key, value)
    return {}
  })
  app.get('/act', async ({ session }) => { act(session); return { changed: session.changed } })
  const browser = new Browser(app)
  await browser.get('/begin')
  const response = await browser.get('/act')
  return { lines: setCookies(response), cacheControl: response.headers['cache-control'], changed: response.json().changed }
}

t.test('setting the value that is already there is no change', async t => {
  const acts: Act[] = [
    session => { session.set('text', 'a') },
    session => { session.set('number', 0) },
    session => { session.set('flag', false) },
    session => { session.set('nothing', null) },
    session => { session.set('cart', session.get('cart')) },
    session => { session.text = 'a' },
    session => { session.set('missing', undefined) },
    session => { session.unset('missing') }
  ]
  for (const act of acts) t.strictSame(await after(act), { lines: [], cacheControl: undefined, changed: false }, String(act))
})

t.test('setting another value is a change, and so is an equal object that get did not return', async t => {
  const acts: Act[] = [
    session => { session.set('text', 'b') },
    session => { session.set('number', '0') },
    session => { session.set('flag', 0) },
    session => { session.set('nothing', false) },
    session => { session.set('cart', ['x']) },
    session => { const cart = session.get('cart'); cart.push('y'); session.set('cart', cart) },
    session => { session.set('missing', 0) }
  ]
  for (const act of acts) t.match(await after(act), { lines: [/^session=/], cacheControl: 'no-store', changed: true }, String(act))
})
