import { setTimeout } from 'node:timers/promises'
import {
  asked, bindingEvents, bindingShop, committed, cookieNames, dropProof, forget, inChromium
} from './device-bound'
import { html } from './site'

const LOGINS = 45
/** How long the page takes: before, while and after the browser registers. */
const DELAYS_MS = [0, 30, 100]

inChromium('of 45 logins, none loses its binding or what the page writes beside it', async (t, browser) => {
  const shop = await bindingShop(t, {}, {
    after (app) {
      app.post('/enter/:turn', async ({ session, params }, reply) => {
        session.regenerate()
        session.set('user', 'ada')
        return await reply.redirect(`/landing/${(params as { turn: string }).turn}`, 303)
      })
      app.get('/landing/:turn', async ({ session, params }, reply) => {
        const turn = Number((params as { turn: string }).turn)
        await setTimeout(DELAYS_MS[turn % DELAYS_MS.length])
        session.set('csrf', turn)
        return html(reply, `<p>landed ${turn}</p>`)
      })
    }
  })
  const page = await browser.newPage()
  const events = await bindingEvents(page)
  await page.goto(shop.url())
  const lost: unknown[] = []
  for (let turn = 0; turn < LOGINS; turn++) {
    forget(events)
    await page.evaluate(turn => {
      document.body.innerHTML = `<form method=post action=/enter/${turn}><button>log in</button></form>`
    }, turn)
    await page.click('button')
    await page.waitForSelector(`text=landed ${turn}`)
    await committed(page, events)
    const { body: { bound } } = await asked(page, '/me')
    const { body: { csrf } } = await asked(page, '/get')
    if (bound !== true || csrf !== turn) lost.push({ turn, bound, csrf })
  }
  t.strictSame(lost, [])
  await dropProof(browser)
  t.strictSame((await asked(page, '/me')).body, { user: 'ada', bound: true })
  t.strictSame(await cookieNames(browser), ['session', 'session.d'])
})
