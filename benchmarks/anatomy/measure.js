'use strict'

const { randomBytes } = require('node:crypto')
const exchange = require('../traffic/exchange')
const { Load } = require('../traffic/load')
const { Server } = require('../traffic/server')
const { shuffled } = require('../report/statistics')
const { sealedCookies } = require('../session/aged-cookies')
const { cycle, forge, junk } = require('../session/cookies')
const { NOTHING, PAGE, SESSION_BYTES } = require('../session/data')
const { BODY_BYTES } = require('../requests/routes')

const ROUTES = [
  { name: 'read, hit', path: '/read', cookie: 'same', value: PAGE },
  { name: 'read, miss', path: '/read', cookie: 'different', value: PAGE },
  { name: 'change, hit', path: '/write', cookie: 'same', value: PAGE, sets: true },
  { name: 'change, miss', path: '/write', cookie: 'different', value: PAGE, sets: true },
  { name: 'forged', path: '/read', cookie: 'forged', value: NOTHING },
  { name: 'junk', path: '/read', cookie: 'junk', value: NOTHING }
]

/**
 * What stopwatches in two servers found, as `{ bare, timed: { [route]: { rows, calls, inner } }, loops }`: one that is
 * timed as a whole, and one in which each step is. A row holds the milliseconds of one request by step; `loops` are
 * microseconds of a decryption in a loop.
 */
async function measure (settings, onProgress) {
  const found = { bare: {}, timed: {}, loops: [] }
  for (let start = 0; start < settings.starts; start++) {
    const key = randomBytes(32)
    const sides = [await startSide('bare', key, settings), await startSide('timed', key, settings)]
    for (const side of sides) await verify(side)
    await inTurns(sides, settings, (side, route) => send(side, route, settings.warmUp))
    for (let round = 0; round < settings.rounds; round++) {
      await inTurns(sides, settings, async (side, route) => {
        await side.server.ask('begin')
        await send(side, route, settings.requests)
        keep(found[side.name], route, await side.server.ask('found'))
      })
      onProgress(`start ${start + 1} of ${settings.starts}, round ${round + 1} of ${settings.rounds}`)
    }
    found.loops.push(await sides[0].server.ask('loop'))
    for (const { load, server } of sides) {
      load.close()
      await server.stop()
    }
  }
  return found
}

async function startSide (name, key, { connections, requests, missCookies }) {
  const server = await Server.start(name, require.resolve('./server'), { key, isTimed: name === 'timed', requests })
  const [same, ...different] = sealedCookies(key, SESSION_BYTES, missCookies + 1)
  const lists = { same: [same], different, forged: [forge(same)], junk: [junk()] }
  const cookies = Object.fromEntries(Object.entries(lists).map(([kind, list]) => [kind, cycle(list)]))
  return { name, server, load: await Load.open(server.port, connections, BODY_BYTES), cookies }
}

async function verify ({ name, server, cookies }) {
  for (const route of ROUTES) {
    const { status, text, setCookies } = await exchange(server.port, route.path, cookies[route.cookie]())
    if (status !== 200 || JSON.parse(text).value !== route.value || (setCookies.length === 1) !== (route.sets === true)) {
      throw new Error(`${name}, ${route.name}: wanted ${route.value}; found ${status} ${text}, and Set-Cookie: ${setCookies}`)
    }
  }
}

/** The first requests of a turn do not count: they take longer after a pause, and one puts the token in the cache. */
async function inTurns (sides, { heat }, step) {
  for (const side of shuffled(sides)) {
    for (const route of shuffled(ROUTES)) {
      await send(side, route, heat)
      await step(side, route)
    }
  }
}

async function send ({ load, cookies }, { path, cookie }, count) {
  await load.send(path, cookies[cookie], count)
}

function keep (found, { name }, { rows, calls, inner }) {
  found[name] ??= { rows: [], calls, inner }
  found[name].rows.push(...rows)
}

module.exports = { ROUTES, measure }
