'use strict'

const { SIZES } = require('../session/data')
const { pairedDifferences, summary } = require('../report/statistics')
const charts = require('./charts')
const { judge } = require('./goals')
const { measure } = require('./measure')
const { markdown } = require('./report')
const { ROUTES } = require('./routes')

/** CPU time per request: routes, sizes, this package and all others. */
async function run ({ requests: settings }, onProgress) {
  const { samples, redis, doNotFit } = await measure(settings, onProgress)
  const sizes = SIZES.map(bytes => ({ bytes, doNotFit: doNotFit[bytes], routes: ROUTES.map(({ name }) => routeOf(name, samples[bytes][name])) }))
  return { redis, sizes, goals: SIZES.map(bytes => ({ bytes, goals: judge(samples[bytes]) })) }
}

function routeOf (route, { baseline, ...others }) {
  const added = Object.entries(others).map(([name, values]) => [name, summary(pairedDifferences(values, baseline))])
  return { route, baseline: summary(baseline), added: Object.fromEntries(added) }
}

module.exports = { run, markdown, charts }
