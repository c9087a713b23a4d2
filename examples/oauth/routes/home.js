'use strict'

const { readFile } = require('node:fs/promises')
const { join } = require('node:path')
const { homePage } = require('../pages/home')

async function homeRoutes (app) {
  const style = await readFile(join(__dirname, '..', '..', 'demo', 'style.css'))

  app.get('/', async (request, reply) => reply.page(homePage()))

  app.get('/style.css', async (request, reply) => {
    return reply.type('text/css; charset=utf-8').header('cache-control', 'no-cache').send(style)
  })
}

module.exports = homeRoutes
