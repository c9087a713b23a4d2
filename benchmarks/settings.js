'use strict'

const { parseArgs } = require('node:util')

/** In the order in which they run, and stand in the results. */
const PARTS = ['requests', 'anatomy', 'sealing', 'growth', 'wire', 'soak']

/** These take seven to nine minutes on two cores. */
const FULL = {
  requests: {
    /** How often all servers start anew. */
    starts: 3,
    /** Rounds for each start, at the main size and at each other. */
    rounds: 4,
    sizeRounds: 2,
    /** Requests of one round at the main size, to each server on each route. */
    requests: 500,
    /** Requests to each server on each route before the first round, for V8 to compile what it will. */
    warmUp: 2000,
    /** Requests when a server's turn comes, before anything counts: the first ones after it idled take more, as none under load would. */
    heat: 60,
    connections: 16
  },
  anatomy: { starts: 2, rounds: 3, requests: 1000, warmUp: 3000, heat: 200, connections: 16 },
  sealing: { rounds: 10, calls: 1000 },
  growth: { starts: 1, rounds: 5, requests: 320, warmUp: 2000, heat: 100, connections: 16, memoryRounds: 5, open: 1000 },
  wire: { logins: 100 },
  soak: { requests: 2_000_000, every: 50_000, visitors: 32 }
}

/** To see that everything runs: figures of so little work mean nothing. */
const QUICK = {
  requests: { starts: 1, rounds: 1, sizeRounds: 1, requests: 30, warmUp: 30, heat: 5, connections: 4 },
  anatomy: { starts: 1, rounds: 1, requests: 30, warmUp: 30, heat: 5, connections: 4 },
  sealing: { rounds: 2, calls: 50 },
  growth: { starts: 1, rounds: 1, requests: 30, warmUp: 30, heat: 5, connections: 4, memoryRounds: 2, open: 50 },
  wire: { logins: 3 },
  soak: { requests: 8000, every: 500, visitors: 4 }
}

/**
 * `--quick`: the small numbers. `--only requests,soak`: these parts alone. `--dry`: the files of results stay as they are, as they do with
 * the other two. Throws where a flag is none.
 */
module.exports = function readSettings (args) {
  const { values } = parseArgs({
    args,
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, dry: { type: 'boolean', default: false } }
  })
  const only = values.only?.split(',') ?? PARTS
  const unknown = only.find(name => !PARTS.includes(name))
  if (unknown !== undefined) throw new Error(`--only takes some of ${PARTS.join(',')}; found ${unknown}`)
  return {
    parts: PARTS.filter(name => only.includes(name)),
    numbers: values.quick ? QUICK : FULL,
    write: !values.dry && !values.quick && only.length === PARTS.length
  }
}
