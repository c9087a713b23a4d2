'use strict'

const fp = require('fastify-plugin')

/** The one place that knows which package the sessions come from; `legacy` is what it is told of the cookies of another. */
module.exports = fp(async function sessions (app, { secureSession, keys, secret, salt, maxAge, legacy = {} }) {
  app.register(secureSession, [{
    sessionName: 'session',
    cookieName: 'sid',
    key: keys,
    expiry: 3600,
    cookie: { path: '/', httpOnly: true, sameSite: 'lax' },
    ...legacy.session
  }, {
    sessionName: 'prefs',
    secret,
    salt,
    expiry: maxAge,
    cookieOptions: { path: '/', maxAge, httpOnly: false },
    ...legacy.prefs
  }])
}, { name: 'app-sessions' })
