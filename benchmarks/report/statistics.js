'use strict'

const { randomInt } = require('node:crypto')

/** The value below which this share of the sample lies, interpolated. */
function quantile (values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = Math.floor(at)
  const above = Math.ceil(at)
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below)
}

function summary (values) {
  return { median: quantile(values, 0.5), lower: quantile(values, 0.25), upper: quantile(values, 0.75), of: values.length }
}

/** Differences round by round: what slows the machine for a while slows both, and drops out. */
function pairedDifferences (values, others) {
  return values.map((value, round) => value - others[round])
}

/** The median of the paired differences of each start, of samples by start and round. */
function differencesByStart (samples, others) {
  return samples.map((ofStart, start) => summary(pairedDifferences(ofStart, others[start])).median)
}

/** How far apart two equal servers commonly are: in half of the cases they lie closer than this. */
function controlOf (differences) {
  const { lower, upper } = summary(differences)
  return Math.max(Math.abs(lower), Math.abs(upper))
}

/** The line of least squares through these points: its slope, and between which slopes the true one lies by 95 %. */
function slopeOf (points) {
  const meanX = mean(points.map(([x]) => x))
  const meanY = mean(points.map(([, y]) => y))
  const spreadOfX = sum(points.map(([x]) => (x - meanX) ** 2))
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spreadOfX
  const residues = sum(points.map(([x, y]) => (y - meanY - slope * (x - meanX)) ** 2))
  const error = Math.sqrt(residues / (points.length - 2) / spreadOfX)
  return { slope, lower: slope - 2 * error, upper: slope + 2 * error }
}

function sum (values) {
  return values.reduce((total, value) => total + value, 0)
}

function mean (values) {
  return sum(values) / values.length
}

function shuffled (items) {
  const left = [...items]
  return items.map(() => left.splice(randomInt(left.length), 1)[0])
}

module.exports = { controlOf, differencesByStart, mean, pairedDifferences, shuffled, slopeOf, summary }
