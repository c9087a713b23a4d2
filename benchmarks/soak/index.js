'use strict'

const lines = require('../charts/lines')
const { ticks } = require('../charts/scale')
const { grouped, kilobytes, table } = require('../report/markdown')
const { slopeOf } = require('../report/statistics')
const { measure } = require('./measure')
const { MIX } = require('./visitor')

const MILLION = 1e6
const MB = 1024 * 1024
/** The least that could leak, one pointer for each life of a visitor, in bytes per million requests. What V8 adds to its machine code is less. */
const LEAST_LEAK = 8 * MILLION / Object.values(MIX).reduce((sum, count) => sum + count, 0)

/** What a server process holds over some million requests. */
async function run ({ soak: settings }, onProgress) {
  const points = await measure(settings, onProgress)
  const secondHalf = points.slice(Math.floor(points.length / 2))
  const slope = slopeOf(secondHalf.map(({ requests, heapUsed, external }) => [requests / MILLION, heapUsed + external]))
  return { points, slope, grows: slope.upper >= LEAST_LEAK }
}

function markdown ({ points, slope, grows }) {
  const last = points.at(-1)
  const shown = [points[0], points[Math.floor(points.length / 4)], points[Math.floor(points.length / 2)], points[Math.floor(points.length * 3 / 4)], last]
  return `## Memory over ${(last.requests / MILLION).toFixed(1)} million requests

One server process of this package over real HTTP. Of 50 requests ${Object.entries(MIX).map(([what, count]) => `${count} ${what}`).join(', ')}: every visitor begins a session
of its own, goes on with what the server wrote, and ends it. Sizes are those after a collection.

${table(['requests', 'heap', 'external', 'resident'], shown.map(({ requests, heapUsed, external, rss }) => [grouped(requests), kilobytes(heapUsed), kilobytes(external), kilobytes(rss)]))}

In the second half heap and external memory together grew by ${kilobytes(slope.slope)} per million requests (${kilobytes(slope.lower)} to ${kilobytes(slope.upper)}: two standard errors),
which is ${(slope.slope / MILLION).toFixed(3)} bytes a request. Goal: it does not grow, so that even a leak of one pointer a visitor, ${kilobytes(LEAST_LEAK)} per million, lies above all that: ${grows ? 'no' : 'reached'}.

![Memory of a server over the soak](results/soak.svg)
`
}

function charts ({ points }) {
  const most = points.at(-1).requests / MILLION
  const marks = ticks(0, most)
  const panel = (title, field) => ({
    title,
    x: { label: 'million requests', marks },
    y: { label: 'MB' },
    series: { sealed: points.map(point => ({ x: point.requests / MILLION, y: field(point) / MB })) }
  })
  return {
    soak: lines({
      title: 'Memory of one server process, after a collection',
      description: `Heap and external memory, and resident memory, over ${most.toFixed(1)} million requests that begin, read, write, renew, end and forge sessions.`,
      names: ['sealed'],
      panels: [panel('Heap and external memory', ({ heapUsed, external }) => heapUsed + external), panel('Resident memory', ({ rss }) => rss)]
    })
  }
}

module.exports = { run, markdown, charts }
