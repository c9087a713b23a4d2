'use strict'

const { randomBytes } = require('node:crypto')
const { once } = require('node:events')
const { createServer } = require('node:net')
const { readOrMakeKey } = require('../demo/key-file')
const { makeUsers } = require('../demo/users')
const { apiClient } = require('./api/client')
const { buildApi } = require('./api/server')
const { buildApp } = require('./app')
const { discover } = require('./discovery')
const { buildProvider } = require('./provider/server')

const HOST = '127.0.0.1'
const PATIENCE_MS = 1000
const PEOPLE = [{ id: 'ada', name: 'Ada Lovelace' }, { id: 'grace', name: 'Grace Hopper' }]

/**
 * Starts the three servers on loopback: the provider, the API, and the site.
 * @param ports `{ site, provider, api }`; 0 for any free one, as is used where a port is taken
 * @param prepare called with oidc-provider's object before it serves, to add middleware of Koa, say
 * @param siteOptions further options for `buildApp`
 */
async function startServers ({ ports, keyFolder, accessTokenSeconds, prepare, ...siteOptions }) {
  const key = await readOrMakeKey(keyFolder)
  // Another host than the site's: browsers share the cookies of a host among all its ports.
  const issuer = `http://localhost:${await freePort(ports.provider)}`
  const address = `http://${HOST}:${await freePort(ports.site)}`
  const site = client('shop', siteOptions.publicUrl ?? address)
  const api = client('orders-api', `http://${HOST}:${await freePort(ports.api)}`)
  const { people, users } = await madeUsers()

  const identityApp = await buildProvider({ issuer, site, api, users, accessTokenSeconds, prepare })
  await listen(identityApp, issuer)
  const metadata = await discover(issuer)
  const apiApp = buildApi({ audience: api.address, provider: { ...api, metadata } })
  await listen(apiApp, api.address)
  const app = buildApp({ key, publicUrl: site.address, provider: { ...site, metadata }, api: apiClient(api), ...siteOptions })
  await listen(app, address)

  return {
    site: address,
    issuer,
    api: api.address,
    people,
    /** Requests under way are answered, the site's first: they may still need the others. */
    async close () {
      for (const server of [app, apiApp, identityApp]) await closeSoon(server)
    }
  }
}

/** Made anew at each start, so that no secret stands in the source. */
function client (clientId, address) {
  return { clientId, clientSecret: randomBytes(32).toString('base64url'), address }
}

async function madeUsers () {
  const people = PEOPLE.map(person => ({ ...person, password: randomBytes(6).toString('hex').match(/.{4}/g).join('-') }))
  const { verify } = await makeUsers(people)
  return { people, users: { verify, find: id => PEOPLE.find(person => person.id === id) } }
}

/** The servers name each other's addresses before they listen, so a port is tried beforehand. */
async function freePort (wanted) {
  const server = createServer()
  server.listen(wanted, HOST)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    console.log(`Port ${wanted} is taken, so a free one is used.`)
    return freePort(0)
  }
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function listen (app, address) {
  await app.listen({ host: HOST, port: Number(new URL(address).port) })
}

/** Browsers open connections ahead of need. Node does not take one that was never used for idle, and would wait. */
async function closeSoon (app) {
  const patience = setTimeout(() => app.server.closeAllConnections(), PATIENCE_MS)
  await app.close()
  clearTimeout(patience)
}

module.exports = { startServers }
