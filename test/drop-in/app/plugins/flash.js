'use strict'

const fp = require('fastify-plugin')

/** Messages for the next page, and a page that shows them. */
module.exports = fp(async function messages (app) {
  app.register(require('@fastify/flash'))
  app.decorateReply('page', function page (title, content) {
    const { session, prefs, server } = this.request
    const who = session.user ? session.user.name : 'stranger'
    const greeting = server.greetings[prefs.language] || server.greetings.en
    return this.type('text/html; charset=utf-8').send(`<h1>${title}</h1><p>${greeting} ${who}</p>${content}`)
  })
  app.decorate('greetings', { en: 'Hello', de: 'Hallo' })
}, { name: 'app-flash', dependencies: ['@fastify/secure-session'] })
