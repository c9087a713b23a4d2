'use strict'

const { SESSION_BYTES, SIZES } = require('../session/data')
const variants = require('../servers')
const bars = require('../charts/bars')
const lines = require('../charts/lines')

const SESSIONS = variants.filter(({ hasSession }) => hasSession).map(({ name }) => name)
const MAIN = variants.filter(({ hasSession, isMain }) => hasSession && isMain).map(({ name }) => name)
const ROUTES = { 'reads a string': 'A handler reads one value', 'changes one value': 'A handler changes one value' }

/** For readers who do not know the names of the servers. */
const LABELS = {
  floor: 'written by hand',
  'sealed, hit': 'this package, cached',
  'sealed, miss': 'this package, not cached',
  'sealed, no cache': 'this package, cache off',
  peer: '@fastify/secure-session',
  'session, memory': '@fastify/session, memory',
  'session, Redis': '@fastify/session, Redis'
}

module.exports = function charts ({ sizes }) {
  const main = sizes.find(({ bytes }) => bytes === SESSION_BYTES)
  return { 'added-cost': addedCost(main), 'cost-over-size': costOverSize(sizes) }
}

function addedCost ({ routes }) {
  const panels = panelsOf((route, title) => ({ title, bars: routes.find(each => each.route === route).added }))
  const names = SESSIONS.filter(name => panels[0].bars[name] !== undefined)
  const figures = ({ title, bars }) => {
    return `${title}: ${names.map(name => `${LABELS[name] ?? name} ${bars[name].median.toFixed(0)}`).join(', ')}`
  }
  return bars({
    title: `CPU time that a session of ${SESSION_BYTES} bytes adds to a request`,
    description: `Medians over starts, with the quartiles, in microseconds. ${panels.map(figures).join('. ')}.`,
    unit: 'µs added to a request; less is better',
    names,
    panels,
    labels: LABELS,
    namesWidth: 188
  })
}

function costOverSize (sizes) {
  const panels = panelsOf((route, title) => ({
    title,
    x: { label: 'bytes of the session’s JSON', marks: [0, 1000, 2000, 3000] },
    y: { label: 'µs added to a request' },
    series: Object.fromEntries(MAIN.map(name => [name, pointsOf(sizes, route, name)]))
  }))
  return lines({
    title: 'CPU time that a session adds to a request, over its size',
    description: `Medians over starts at ${SIZES.join(', ')} bytes, with quartiles: one value is read, or changed.`,
    names: MAIN,
    panels
  })
}

function panelsOf (panel) {
  return Object.entries(ROUTES).map(([route, title]) => panel(route, title))
}

function pointsOf (sizes, route, name) {
  return sizes.map(({ bytes, routes }) => {
    const { median, lower, upper } = routes.find(each => each.route === route).added[name]
    return { x: bytes, y: median, lower, upper }
  })
}
