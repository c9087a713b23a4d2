'use strict'

/** Revokes a session's token upstream. If upstream is unavailable, the user is signed out anyway. */
async function revokeTokenOf (session, upstream, log) {
  if (!session.has('upstreamToken')) return
  try {
    await upstream.revoke(session.get('upstreamToken'))
  } catch (error) {
    log.error(error)
  }
}

module.exports = { revokeTokenOf }
