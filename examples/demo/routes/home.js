'use strict'

const { readFile } = require('node:fs/promises')
const { join } = require('node:path')
const { homePage } = require('../pages/home')

async function homeRoutes (app) {
  const style = await readFile(join(__dirname, '..', 'style.css'))

  app.get('/', async (request, reply) => reply.page(homePage()))

  // It needs no session, so a visitor's cookie is not even opened here.
  app.get('/style.css', { config: { session: false } }, async (request, reply) => {
    return reply.type('text/css; charset=utf-8').header('cache-control', 'no-cache').send(style)
  })
}

module.exports = homeRoutes
