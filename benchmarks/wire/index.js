'use strict'

const { randomBytes } = require('node:crypto')
const bars = require('../charts/bars')
const { table } = require('../report/markdown')
const { summary } = require('../report/statistics')
const { cookieOf, fits } = require('../session/cookies')
const { SIZES } = require('../session/data')
const { stampedCookies } = require('../session/aged-cookies')

/** By name, the module of the server. With a store only an id travels, the same for each store. */
const SERVERS = {
  floor: 'floor',
  sealed: 'sealed',
  peer: 'peer',
  jose: 'jose',
  'iron-session': 'iron-session',
  h3: 'h3',
  'session, memory': 'session-memory'
}
const NO_FIT = 'does not fit'

/** How many bytes travel with each request, and with each reply that writes the session. No network is needed to count them. */
async function run ({ wire: { logins } }, onProgress) {
  const key = randomBytes(32)
  const sessions = {}
  for (const [name, module] of Object.entries(SERVERS)) {
    const app = await require(`../servers/${module}`)({ key })
    sessions[name] = {}
    for (const bytes of SIZES) sessions[name][bytes] = await weigh(app, bytes, logins)
    await app.close()
    onProgress(`${name} weighed`)
  }
  const [stamped] = await stampedCookies(key, SIZES[0], 1)
  return { sessions, stamp: stamped.length - stamped.indexOf('; ') }
}

/** What is random in a cookie decides how many of its characters need escapes, so its length takes many logins to know. */
async function weigh (app, bytes, logins) {
  const cookie = []
  const setCookie = []
  for (let login = 0; login < logins; login++) {
    const { statusCode, headers } = await app.inject(`/login?bytes=${bytes}`)
    const lines = [headers['set-cookie'] ?? []].flat()
    if (statusCode !== 200 || !fits(cookieOf(lines))) return NO_FIT
    cookie.push(cookieOf(lines).length)
    setCookie.push(lines.join('').length)
  }
  return { cookie: summary(cookie), setCookie: summary(setCookie) }
}

function markdown ({ sessions, stamp }) {
  const cell = (found, of) => {
    if (found === NO_FIT) return NO_FIT
    const { median, lower, upper } = found[of]
    return lower === upper ? `${median}` : `${median} (${lower} to ${upper})`
  }
  const rows = of => table(['', ...SIZES.map(bytes => `${bytes} bytes`)], Object.entries(sessions).map(([name, found]) => [name, ...SIZES.map(bytes => cell(found[bytes], of))]))
  return `## Bytes on the wire

With each request, \`name=value\` of the cookie (medians, with the quartiles where they differ):

${rows('cookie')}

With each reply that writes the session, the value of \`Set-Cookie\`:

${rows('setCookie')}

With Redis \`@fastify/session\` sends what it sends with its memory: an id. A session of this package that was renewed sends ${stamp} bytes more with each request, whatever its size, until it is next written.

![Bytes of the cookie](results/wire.svg)
`
}

function charts ({ sessions }) {
  const names = Object.keys(sessions)
  const panels = SIZES.map(bytes => ({
    title: `${bytes} bytes`,
    bars: Object.fromEntries(names.filter(name => sessions[name][bytes] !== NO_FIT).map(name => [name, sessions[name][bytes].cookie]))
  }))
  return {
    wire: bars({
      title: 'What a session sends with each request, for four sizes of its JSON',
      description: 'Medians of the length of name and value of its cookie.',
      unit: 'bytes',
      names,
      panels,
      ownScales: true
    })
  }
}

module.exports = { run, markdown, charts }
