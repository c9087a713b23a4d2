'use strict'

const { SESSION_BYTES, SIZES } = require('../session/data')
const variants = require('../servers')
const bars = require('../charts/bars')
const lines = require('../charts/lines')

const SESSIONS = variants.filter(({ hasSession }) => hasSession).map(({ name }) => name)
const MAIN = variants.filter(({ hasSession, isMain }) => hasSession && isMain).map(({ name }) => name)
const ROUTES = { read: 'A handler reads one value', write: 'A handler writes one value' }

module.exports = function charts ({ sizes }) {
  return { 'added-cost': addedCost(sizes.find(({ bytes }) => bytes === SESSION_BYTES)), 'cost-over-size': costOverSize(sizes) }
}

function addedCost ({ routes }) {
  const panels = Object.entries(ROUTES).map(([route, title]) => ({ title, bars: routes.find(each => each.route === route).added }))
  return bars({
    title: `CPU time that a session of ${SESSION_BYTES} bytes adds to a request`,
    description: `Medians with quartiles, for a request whose handler reads and one whose handler writes: ${panels.map(({ title, bars }) => `${title}: ${SESSIONS.filter(name => bars[name]).map(name => `${name} ${bars[name].median.toFixed(0)}`).join(', ')}`).join('; ')} microseconds.`,
    unit: 'µs, over Fastify with @fastify/cookie; less is better',
    names: SESSIONS.filter(name => panels.some(({ bars }) => bars[name] !== undefined)),
    panels
  })
}

function costOverSize (sizes) {
  const panels = Object.entries(ROUTES).map(([route, title]) => ({
    title,
    x: { label: 'bytes of the session’s JSON', marks: [0, 1000, 2000, 3000] },
    y: { label: 'µs added to a request' },
    series: Object.fromEntries(MAIN.map(name => [name, pointsOf(sizes, route, name)]))
  }))
  return lines({
    title: 'CPU time that a session adds to a request, over its size',
    description: `Medians with quartiles at ${SIZES.join(', ')} bytes, for a request whose handler reads and one whose handler writes.`,
    names: MAIN,
    panels
  })
}

function pointsOf (sizes, route, name) {
  return sizes.flatMap(({ bytes, routes }) => {
    const found = routes.find(each => each.route === route).added[name]
    return found === undefined ? [] : [{ x: bytes, y: found.median, lower: found.lower, upper: found.upper }]
  })
}
