'use strict'

const { parseArgs } = require('node:util')

/** In the order in which they run, and are in the results. */
const PARTS = ['requests', 'start', 'anatomy', 'sealing', 'growth', 'wire', 'soak']

/** These take about eleven minutes on two cores. */
const FULL = {
  requests: {
    /** How often all servers start. */
    starts: 6,
    /** Rounds of each start, at the main size and at each other. */
    rounds: 4,
    sizeRounds: 2,
    /** Requests of a turn at the main size: one server, one route. */
    requests: 300,
    /** Requests to each server on each route before the first round, in which V8 compiles. */
    warmUp: 2000,
    /** Requests at the begin of each turn that do not count: the first ones after a pause take longer. */
    heat: 40,
    /**
     * Different cookies for misses, in turn. A token is kept when it opens a second time while the cache still has a
     * note of the first: 1000 notes, of which so many other cookies leave none.
     */
    missCookies: 12_000,
    connections: 16
  },
  start: { processes: 20 },
  anatomy: { starts: 2, rounds: 3, requests: 1000, warmUp: 3000, heat: 200, missCookies: 12_000, connections: 16 },
  sealing: { rounds: 10, calls: 1000 },
  growth: { starts: 1, rounds: 5, requests: 320, warmUp: 2000, heat: 100, connections: 16, memoryRounds: 5, open: 1e3 },
  wire: { logins: 100 },
  soak: { requests: 1_000_000, every: 25_000, visitors: 32 }
}

/** To see that everything runs: figures of so little work mean nothing. */
const QUICK = {
  requests: { starts: 1, rounds: 1, sizeRounds: 1, requests: 30, warmUp: 30, heat: 5, missCookies: 20, connections: 4 },
  start: { processes: 1 },
  anatomy: { starts: 1, rounds: 1, requests: 30, warmUp: 30, heat: 5, missCookies: 1200, connections: 4 },
  sealing: { rounds: 2, calls: 50 },
  growth: { starts: 1, rounds: 1, requests: 30, warmUp: 30, heat: 5, connections: 4, memoryRounds: 2, open: 50 },
  wire: { logins: 3 },
  soak: { requests: 8000, every: 500, visitors: 4 }
}

/**
 * `--quick`: the small numbers. `--only requests,soak`: these parts alone. `--dry`: the files of results stay as they
 * are, as they do with the other two. Throws for an unknown flag or part.
 */
module.exports = function readSettings (args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      dry: { type: 'boolean', default: false }
    }
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
