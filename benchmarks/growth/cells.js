'use strict'

const { BODY_BYTES } = require('../requests/routes')
const { pairedDifferences, shuffled, summary } = require('../report/statistics')
const { Load } = require('../traffic/load')
const { Server } = require('../traffic/server')

/**
 * CPU time per request that each cell adds to the one named `baseline` of its group, which is measured beside it; in microseconds, as
 * `{ [group]: { [name]: { median, lower, upper } } }`. A cell is `{ group, name, server, path, cookie }`.
 * @param serversOf starts all servers anew, and resolves with `{ servers, cells }`
 */
async function measureCells (serversOf, { starts, rounds, requests, warmUp, heat, connections }, onProgress) {
  const samples = {}
  for (let start = 0; start < starts; start++) {
    const { servers, cells } = await serversOf()
    const loads = new Map()
    for (const server of servers) loads.set(server, await Load.open(server.port, connections, BODY_BYTES))
    const send = ({ server, path, cookie }, count) => loads.get(server).send(path, () => cookie, count)
    await inTurns(cells, cell => send(cell, heat), cell => send(cell, warmUp))
    for (let round = 0; round < rounds; round++) {
      await inTurns(cells, cell => send(cell, heat), async cell => {
        const before = await cell.server.cpuTime()
        await send(cell, requests)
        const us = (await cell.server.cpuTime() - before) / requests
        ;((samples[cell.group] ??= {})[cell.name] ??= []).push(us)
      })
      onProgress(`start ${start + 1} of ${starts}, round ${round + 1} of ${rounds}`)
    }
    for (const load of loads.values()) load.close()
    for (const server of servers) await server.stop()
  }
  return Object.fromEntries(Object.entries(samples).map(([group, { baseline, ...others }]) => {
    return [group, Object.fromEntries(Object.entries(others).map(([name, found]) => [name, summary(pairedDifferences(found, baseline))]))]
  }))
}

/** Each server with all its cells. The first requests do not count: a server that did nothing for a while takes longer for them. */
async function inTurns (cells, heatUp, step) {
  for (const server of shuffled([...new Set(cells.map(cell => cell.server))])) {
    const own = shuffled(cells.filter(cell => cell.server === server))
    await heatUp(own[0])
    for (const cell of own) await step(cell)
  }
}

function start (name, options) {
  return Server.start(name, require.resolve(`../servers/${name}`), options)
}

module.exports = { measureCells, start }
