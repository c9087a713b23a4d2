'use strict'

const { randomBytes } = require('node:crypto')
const { cookieOf } = require('../session/cookies')
const exchange = require('../traffic/exchange')
const { measureCells, start } = require('./cells')

/** Bytes of a session that lies over 1, 2 and 3 cookies and nearly fills them. */
const SIZES = [2740, 5600, 8400]
const NAMES = ['sealed, hit', 'sealed, no cache']
const ROUTES = ['untouched', 'read', 'write']

/** What a session costs that is split over several cookies. Groups are named as in `2 cookies, read`. */
function measureSplit (settings, onProgress) {
  return measureCells(startAll, settings, line => onProgress(`cookies: ${line}`))
}

async function startAll () {
  const key = randomBytes(32)
  const servers = {
    baseline: await start('baseline', { key }),
    'baseline again': await start('baseline', { key }),
    'sealed, hit': await start('sealed', { key, options: { maxCookies: SIZES.length } }),
    'sealed, no cache': await start('sealed-uncached', { key, options: { maxCookies: SIZES.length } })
  }
  const cells = []
  for (const [index, bytes] of SIZES.entries()) {
    const cookie = cookieOf((await exchange(servers['sealed, hit'].port, `/login?bytes=${bytes}`, null)).setCookies)
    const count = cookie.split('; ').length
    if (count !== index + 1) throw new Error(`${bytes} bytes lie over ${count} cookies, wanted ${index + 1}`)
    for (const route of ROUTES) {
      const group = `${count} cookies, ${route}`
      for (const [name, server] of Object.entries(servers)) {
        cells.push({ group, name, server, path: `/${route}`, cookie })
      }
    }
  }
  return { servers: Object.values(servers), cells }
}

module.exports = { NAMES, ROUTES, SIZES, measureSplit }
