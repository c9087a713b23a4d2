'use strict'

const { cookiePage } = require('../pages/cookie')

const SECRETS = ['upstreamToken', 'csrf']
const SHOWN_CHARACTERS = 4

async function cookieRoutes (app, { cookieName }) {
  app.get('/cookie', async ({ headers, session }, reply) => {
    return reply.page(cookiePage({
      token: cookieIn(headers.cookie, cookieName),
      stamp: cookieIn(headers.cookie, `${cookieName}.t`),
      pass: cookieIn(headers.cookie, `${cookieName}.u`),
      proof: cookieIn(headers.cookie, `${cookieName}.d`),
      data: masked(session.data()),
      info: session.info,
      nowMs: Date.now()
    }))
  })
}

/** As the browser sent it; null where it sent none. */
function cookieIn (header = '', name) {
  const pair = header.split(';').map(text => text.trim()).find(text => text.startsWith(`${name}=`))
  return pair === undefined ? null : pair.slice(name.length + 1)
}

/** Pages get copied and photographed, so not even this one shows a whole secret. */
function masked (data) {
  for (const name of SECRETS) {
    if (name in data) data[name] = `${data[name].slice(0, SHOWN_CHARACTERS)}…`
  }
  return data
}

module.exports = cookieRoutes
