'use strict'

const { controlOf, pairedDifferences, summary } = require('../report/statistics')

/** What the package sets itself: the CPU time that it adds, as a share of what another adds to the same baseline, or it itself on another route. */
const GOALS = [
  { route: 'untouched', than: 'peer', atMost: 0.1 },
  { route: 'read', than: 'peer', atMost: 0.6 },
  { route: 'write', than: 'peer', atMost: 0.5 },
  { route: 'read', than: 'floor', atMost: 1.15 },
  { route: 'read an object', than: 'floor', atMost: 1.3 },
  { route: 'write', than: 'floor', atMost: 1.3 },
  { route: 'forged', than: 'sealed', onRoute: 'read', atMost: 1 },
  { route: 'junk', than: 'sealed', onRoute: 'read', atMost: 1 }
]

/** The goals, each with the ratio found and how many microseconds lie between the goal and what was found; of samples by route. */
function judge (samples) {
  return GOALS.map(goal => {
    const ours = added(samples[goal.route], 'sealed')
    const theirs = added(samples[goal.onRoute ?? goal.route], goal.than)
    if (ours === null || theirs === null) return { ...goal, reached: 'not known' }
    const control = controlOf(pairedDifferences(samples[goal.route]['baseline again'], samples[goal.route].baseline))
    const over = ours - goal.atMost * theirs
    return { ...goal, ratio: ours / theirs, over, control, reached: verdict(over, control) }
  })
}

/** Null where it does not fit into a cookie. */
function added ({ baseline, ...others }, name) {
  return others[name] === undefined ? null : summary(pairedDifferences(others[name], baseline)).median
}

function verdict (over, control) {
  if (over <= 0) return 'yes'
  return over <= control ? 'within the control' : 'no'
}

module.exports = { judge }
