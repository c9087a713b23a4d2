import secureSession from '../../index'
import { CERTIFICATE } from './browsers'
import {
  asked, bindingShop, boundUser, cookieHeader, cookieNames, dropProof, forget, inChromium, until
} from './device-bound'
import type { Site } from './site'
import { ask } from './visitor'

async function userOf (shop: Site, cookie: string): Promise<string | null> {
  const url = `https://127.0.0.1:${new URL(shop.url()).port}/me`
  const { body } = await ask(url, { headers: { cookie }, ca: CERTIFICATE.cert })
  return JSON.parse(body.toString()).user
}

inChromium('revokeOthers() keeps the session bound to its key, and gives it no pass', async (t, browser) => {
  const shop = await bindingShop(t, { revocation: { store: secureSession.memoryRevocation(), recheck: 0 } }, {
    after (app) { app.post('/others', async ({ session }) => { await session.revokeOthers(); return {} }) }
  })
  const { page, events } = await boundUser(browser, shop)
  const before = await cookieHeader(browser)
  t.equal((await asked(page, '/others', { method: 'POST' })).status, 200)
  t.strictSame(await cookieNames(browser), ['session', 'session.d'])
  await dropProof(browser)
  t.strictSame((await asked(page, '/me')).body, { user: 'ada', bound: true }, 'by the key that it had')
  t.equal(events.filter(event => event.startsWith('created')).length, 1)
  t.equal(await userOf(shop, before), null, 'a copy of the old session has ended')
})

inChromium('a browser whose session was revoked is told to forget its key', async (t, browser) => {
  const shop = await bindingShop(t, { revocation: { store: secureSession.memoryRevocation(), recheck: 0 } })
  const { page, events } = await boundUser(browser, shop)
  await shop.app.secureSession.revokeSubject('ada')
  await dropProof(browser)
  forget(events)
  t.strictSame((await asked(page, '/me')).body, { user: null, bound: false })
  await until('the end of the key', () => events.includes('ended: ServerRequested'))
  forget(shop.seen)
  await asked(page, '/me')
  t.strictSame(shop.seen.map(({ url }) => url), ['/me'])
})
