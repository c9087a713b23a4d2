'use strict'

/** A user's devices: the list, the end of one, and the end of all others. */
async function deviceRoutes (app, { table }) {
  app.addHook('onRequest', app.requireSession())

  app.get('/devices', async ({ session }) => {
    await app.devicesWritten()
    const devices = await table.list(session.get('user').id, Date.now())
    return devices.map(({ id, createdAtMs, firstSeenMs, lastSeenMs, ...shown }) => ({
      ...shown,
      isThis: id === session.info.id,
      firstSeen: new Date(firstSeenMs).toISOString(),
      lastSeen: new Date(lastSeenMs).toISOString()
    }))
  })

  app.delete('/devices/:key', async ({ session, params }, reply) => {
    const devices = await table.list(session.get('user').id, Date.now())
    const device = devices.find(({ key }) => key === params.key)
    if (device === undefined) return reply.code(404).send({ problem: 'you have no such device' })
    if (device.id === session.info.id) session.delete()
    else await app.secureSession.revoke(device.id)
    return reply.code(204).send()
  })

  app.delete('/devices', async ({ session }, reply) => {
    await session.revokeOthers()
    // This session goes on under another id, and was created after those that ended. The reply adds it to the table.
    app.removeDevices(session.get('user').id, session.info.createdAt - 1)
    return reply.code(204).send()
  })
}

module.exports = deviceRoutes
