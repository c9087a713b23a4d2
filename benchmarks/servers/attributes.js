'use strict'

/** What every contestant writes behind its cookie: `Path=/; HttpOnly; SameSite=Lax`. */
module.exports = Object.freeze({ path: '/', httpOnly: true, sameSite: 'lax', secure: false })
