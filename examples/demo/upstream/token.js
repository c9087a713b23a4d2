'use strict'

/** Ends a session's token upstream, which knows nothing of our sessions. Upstream may be away: that keeps nobody signed in. */
async function revokeTokenOf (session, upstream, log) {
  if (!session.has('upstreamToken')) return
  try {
    await upstream.revoke(session.get('upstreamToken'))
  } catch (error) {
    log.error(error)
  }
}

module.exports = { revokeTokenOf }
