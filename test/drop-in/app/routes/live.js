'use strict'

/** WebSockets: one that reads the session of its upgrade, and one for clients that cannot send cookies but hold a ticket. */
module.exports = async function live (app) {
  app.register(require('@fastify/websocket'))

  app.register(async function sockets (scope) {
    scope.get('/me', { websocket: true }, (socket, request) => {
      socket.send(JSON.stringify({ user: request.session.get('user') || null, language: request.prefs.language || null }))
      socket.on('message', message => { socket.send(`${(request.session.user || { name: 'stranger' }).name}: ${message}`) })
    })

    scope.get('/ticket', { preHandler: app.requireLogin }, async request => {
      const ticket = app.createSecureSession({ userId: request.session.get('user').id })
      ticket.set('for', 'live')
      return { ticket: encodeURIComponent(app.encodeSecureSession(ticket, 'prefs')) }
    })

    scope.get('/feed', { websocket: true }, (socket, request) => {
      const ticket = app.decodeSecureSession(request.query.ticket || '', request.log, 'prefs')
      if (ticket === null || ticket.get('for') !== 'live') socket.close(4401, 'no ticket')
      else socket.send(JSON.stringify(ticket.data()))
    })
  })
}
