'use strict'

const { SIZES } = require('../session/data')
const { differencesByStart, summary } = require('../report/statistics')
const charts = require('./charts')
const { judge } = require('./goals')
const { measure } = require('./measure')
const { markdown } = require('./report')
const { ROUTES } = require('./routes')

/** CPU time per request: routes, sizes, this package and others. */
async function run ({ requests: settings }, onProgress) {
  const { samples, redis } = await measure(settings, onProgress)
  const sizes = SIZES.map(bytes => {
    const measured = ROUTES.filter(({ name }) => samples[bytes][name] !== undefined)
    return { bytes, routes: measured.map(({ name }) => routeOf(name, samples[bytes][name])) }
  })
  return { redis, sizes, goals: judge(sizes) }
}

/** Of each server what it adds to the baseline, by start; the ratio to the peer's in the same start; and summaries. */
function routeOf (route, { baseline, ...others }) {
  const byStart = Object.fromEntries(Object.entries(others).map(([name, samples]) => {
    return [name, differencesByStart(samples, baseline)]
  }))
  return {
    route,
    baseline: summary(baseline.map(rounds => summary(rounds).median)),
    added: mapped(byStart, summary),
    ratio: byStart.peer === undefined ? {} : mapped(byStart, values => ratioOf(values, byStart.peer)),
    byStart
  }
}

function ratioOf (values, others) {
  return summary(values.map((us, start) => us / others[start]))
}

function mapped (object, of) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, of(value)]))
}

module.exports = { run, markdown, charts }
