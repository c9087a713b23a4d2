'use strict'

const { controlOf } = require('../report/statistics')
const { SESSION_BYTES } = require('../session/data')

/** The CPU time that this package may add, as a ratio to what the peer adds to the same baseline. */
const GOALS = [
  { route: 'untouched', hit: 0.05, miss: 0.05 },
  { route: 'reads a string', hit: 0.25, miss: 0.75 },
  { route: 'reads an object', hit: 0.4, miss: 0.85 },
  { route: 'writes all values', hit: 0.45, miss: 0.6 },
  { route: 'changes one value', hit: 0.45, miss: 0.65 }
]

/** Each goal with what was found, for hits and for misses; and the one for a forged cookie. */
function judge (sizes) {
  const { routes } = sizes.find(({ bytes }) => bytes === SESSION_BYTES)
  const of = name => routes.find(({ route }) => route === name)
  return {
    toPeer: GOALS.map(({ route, hit, miss }) => ({
      route,
      control: controlOf(of(route).byStart['baseline again']),
      hit: found(of(route), 'sealed, hit', hit),
      miss: found(of(route), 'sealed, miss', miss)
    })),
    forged: forgedGoal(of('forged'), of('reads a string').added)
  }
}

function found ({ added, ratio, byStart }, name, atMost) {
  const over = added[name].median - atMost * added.peer.median
  return { atMost, ratio: ratio[name], over, reached: verdict(over, controlOf(byStart['baseline again'])) }
}

/**
 * To refuse a forged cookie may cost what it costs to open a good one, and the exception that the binding throws. What
 * that costs in a server is the difference that it makes to the floor, which decrypts in the same way.
 */
function forgedGoal ({ added: forged, byStart }, read) {
  const exception = forged.floor.median - read.floor.median
  const atMost = read['sealed, miss'].median + exception
  const over = forged['sealed, miss'].median - atMost
  return {
    us: forged['sealed, miss'].median,
    readUs: read['sealed, miss'].median,
    exception,
    over,
    reached: verdict(over, controlOf(byStart['baseline again']))
  }
}

function verdict (over, control) {
  if (over <= 0) return 'yes'
  return over <= control ? 'within the control' : 'no'
}

module.exports = { judge }
