'use strict'

const { pairedDifferences, summary } = require('./statistics')

/** What the package sets itself: the CPU time it adds, as a share of what another adds to the same baseline. */
const GOALS = [
  { route: 'untouched', than: 'peer', atMost: 0.1 },
  { route: 'read', than: 'peer', atMost: 0.6 },
  { route: 'write', than: 'peer', atMost: 0.5 },
  { route: 'read', than: 'floor', atMost: 1.15 },
  { route: 'read-object', than: 'floor', atMost: 1.3 },
  { route: 'write', than: 'floor', atMost: 1.3 }
]

/** The goals, each with the ratio found and how many microseconds lie between the goal and what was found. */
function judge (samples) {
  return GOALS.map(goal => {
    const { baseline, sealed, 'baseline again': again, [goal.than]: other } = samples[goal.route]
    const ours = summary(pairedDifferences(sealed, baseline)).median
    const theirs = summary(pairedDifferences(other, baseline)).median
    const control = controlOf(pairedDifferences(again, baseline))
    const over = ours - goal.atMost * theirs
    return { ...goal, ratio: ours / theirs, over, control, reached: verdict(over, control) }
  })
}

/** How far apart two equal servers commonly are: in half of the rounds they lie closer than this. */
function controlOf (differences) {
  const { lower, upper } = summary(differences)
  return Math.max(Math.abs(lower), Math.abs(upper))
}

function verdict (over, control) {
  if (over <= 0) return 'yes'
  return over <= control ? 'within the control' : 'no'
}

module.exports = { judge }
