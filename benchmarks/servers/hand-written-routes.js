'use strict'

const { NOTHING, PAGE, nextPage, nextValues, sessionData } = require('../session/data')

/**
 * The handlers for libraries that are not Fastify plugins: each handler calls the library itself.
 * `read(request, reply)` is a promise of the session's data, empty where there is none; `write(request, reply, changes)` one of its cookie being set.
 */
module.exports = function handWrittenRoutes (app, { read, write }) {
  app.get('/login', async (request, reply) => {
    await write(request, reply, sessionData(Number(request.query.bytes)))
    return { value: PAGE }
  })
  app.get('/untouched', async () => ({ value: PAGE }))
  app.get('/read', async (request, reply) => {
    const session = await read(request, reply)
    return { value: session.page ?? NOTHING }
  })
  app.get('/read-object', async (request, reply) => {
    const session = await read(request, reply)
    return { value: session.user.name }
  })
  app.get('/write', async (request, reply) => {
    await write(request, reply, { page: nextPage() })
    return { value: PAGE }
  })
  app.get('/write-all', async (request, reply) => {
    await write(request, reply, nextValues(request.query.bytes))
    return { value: PAGE }
  })
}
