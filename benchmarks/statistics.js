'use strict'

/** The value below which this share of the sample lies, interpolated. */
function quantile (values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = Math.floor(at)
  const above = Math.ceil(at)
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below)
}

function summary (values) {
  return { median: quantile(values, 0.5), lower: quantile(values, 0.25), upper: quantile(values, 0.75) }
}

/** Differences round by round: what slows the machine for a while slows both, and drops out. */
function pairedDifferences (values, others) {
  return values.map((value, round) => value - others[round])
}

module.exports = { pairedDifferences, summary }
