'use strict'

const { randomBytes } = require('node:crypto')
const { cookieOf, forge } = require('../session/cookies')
const { SESSION_BYTES } = require('../session/data')
const { measureCells, start } = require('./cells')

/** How many keys there are. */
const COUNTS = [1, 10, 100]
/** In the order of the results. */
const NAMES = ['baseline again', 'sealed, a key', ...['sealed, # in an array', 'sealed, # in a ring', 'peer, # in an array']
  .flatMap(name => COUNTS.map(count => name.replace('#', count)))]
const ROUTES = { read: '/read', write: '/write', forged: '/read' }

/** What the number of keys costs a request whose session the oldest of them sealed; and one whose cookie is forged. */
function measureKeys (settings, onProgress) {
  return measureCells(startAll, settings, line => onProgress(`keys: ${line}`))
}

async function startAll () {
  const keys = Array.from({ length: Math.max(...COUNTS) }, () => randomBytes(32).toString('hex'))
  const key = Buffer.from(keys[0], 'hex')
  const rows = [
    { name: 'baseline', module: 'baseline', count: 1, options: { key } },
    { name: 'baseline again', module: 'baseline', count: 1, options: { key } },
    { name: 'sealed, a key', module: 'sealed-uncached', count: 1, options: { key } },
    ...COUNTS.flatMap(count => {
      const first = keys.slice(0, count)
      const array = { key, options: { key: first } }
      return [
        { name: `sealed, ${count} in an array`, module: 'sealed-uncached', count, options: array },
        { name: `sealed, ${count} in a ring`, module: 'sealed-ring', count, options: { key, keys: first } },
        { name: `peer, ${count} in an array`, module: 'peer', count, options: { key, keys: first } }
      ]
    })
  ]
  const servers = await Promise.all(rows.map(({ module, options }) => start(module, options)))
  const cells = []
  for (const [index, { name, module, count }] of rows.entries()) {
    const own = await sealedBy(Buffer.from(keys[count - 1], 'hex'), module === 'peer' ? 'peer' : 'sealed')
    for (const [group, path] of Object.entries(ROUTES)) {
      cells.push({ group, name, server: servers[index], path, cookie: group === 'forged' ? forge(own) : own })
    }
  }
  return { servers, cells }
}

/** A session under one key, from an app of this process. */
async function sealedBy (key, module) {
  const app = require(`../servers/${module}`)({ key })
  const { headers } = await app.inject(`/login?bytes=${SESSION_BYTES}`)
  await app.close()
  return cookieOf([headers['set-cookie']].flat())
}

module.exports = { COUNTS, NAMES, ROUTES: Object.keys(ROUTES), measureKeys }
