'use strict'

const { inspect } = require('node:util')

/**
 * The ways in which an app reads the session where nothing catches what is thrown: log serializers, mixins, timers,
 * events. The plugin promises a session or null there.
 */
const LOOKS = {
  get: session => session?.get('user'),
  property: session => session?.user,
  in: session => session != null && 'user' in session,
  has: session => session?.has('user'),
  keys: session => session == null ? [] : Object.keys(session),
  json: session => JSON.stringify(session),
  data: session => session?.data(),
  info: session => session?.info.id,
  changed: session => session?.changed,
  deleted: session => session?.deleted,
  inspect: session => inspect(session)
}

/** What the app itself throws from within: its subject function, and values of its own that JSON cannot write. */
const OF_THE_APP = /the subject throws|toJSON throws|option "subject" must return|circular structure|a BigInt/

function isOfTheApp (error) {
  return error === undefined || OF_THE_APP.test(error?.message)
}

/** Reads all sessions of a request in this way. It throws what the plugin throws, and not what is the app's fault. */
function look (request, way, names) {
  if (request === undefined || request === null) return []
  return names.map(name => {
    try {
      return LOOKS[way](request[name])
    } catch (error) {
      if (isOfTheApp(error)) return 'the app throws'
      // Its own stack says where nothing caught it.
      throw new Error(`the session "${name}" throws`, { cause: error })
    }
  })
}

module.exports = { look, LOOKS, LOOK_NAMES: Object.keys(LOOKS) }
