'use strict'

const { mean, summary } = require('../report/statistics')
const charts = require('./charts')
const { ROUTES, measure } = require('./measure')
const { markdown } = require('./report')
const { CALLS, HOOK, STEPS } = require('./steps')

/** Slots behind those of the steps: a step that has nothing in it but another, and that other, which is empty. */
const AROUND = STEPS.length + 1
const EMPTY = STEPS.length + 2

/** Where the time of a request goes that this package takes. */
async function run ({ anatomy: settings }, onProgress) {
  const { bare, timed, loops } = await measure(settings, onProgress)
  return { routes: ROUTES.map(({ name }) => anatomyOf(name, bare[name], timed[name])), decryptInLoop: summary(loops).median }
}

/** Microseconds of a request on this route: of its steps, of all that the timers around them took, and as a whole without them. */
function anatomyOf (route, bare, timed) {
  STEPS.forEach(({ name, on }, index) => {
    const isCalled = timed.calls[index + 1] > 0
    if (isCalled !== on.includes(route)) throw new Error(`${route}: "${name}" was called ${timed.calls[index + 1]} times`)
  })
  const corrected = withoutTimers(timed)
  const whole = withoutTimers(bare)
  return {
    route,
    steps: STEPS.map(({ name, on }, index) => ({ name, us: on.includes(route) ? corrected.us[index + 1] : null })),
    timers: corrected.timers,
    whole: whole.us[CALLS] + whole.us[HOOK]
  }
}

/**
 * Means over the middle half of the requests: what disturbed some is not in them, and unlike medians they add up. A timed
 * call adds to its own step what it adds to the empty one, and to the step that it lies in what the empty one adds to the one around it.
 */
function withoutTimers ({ rows, calls, inner }) {
  const middle = middleHalf(rows)
  const us = rows[0].map((_, step) => mean(middle.map(row => row[step])) * 1000)
  const inside = us[EMPTY]
  const outside = us[AROUND] - inside
  const timers = us.map((_, step) => inside * calls[step] + outside * inner[step])
  return { us: us.map((each, step) => each - timers[step]), timers: sumOfSteps(timers) }
}

/** By how long all steps took together. */
function middleHalf (rows) {
  const sorted = rows.toSorted((a, b) => sumOfSteps(a) - sumOfSteps(b))
  return sorted.slice(Math.floor(rows.length / 4), Math.ceil(rows.length * 3 / 4))
}

function sumOfSteps (slots) {
  return slots.slice(1, AROUND).reduce((sum, each) => sum + each, 0)
}

module.exports = { run, markdown, charts }
