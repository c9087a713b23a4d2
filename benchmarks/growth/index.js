'use strict'

const lines = require('../charts/lines')
const { grouped, spread, table } = require('../report/markdown')
const { SESSION_BYTES } = require('../session/data')
const { COUNTS, NAMES, ROUTES: KEY_ROUTES, measureKeys } = require('./keys')
const { measureMemory } = require('./memory')
const { NAMES: SPLIT_NAMES, ROUTES, SIZES, measureSplit } = require('./split')

/** What more of something costs: keys, cookies, requests that are open. */
async function run ({ growth: settings }, onProgress) {
  return {
    keys: await measureKeys(settings, onProgress),
    split: await measureSplit(settings, onProgress),
    memory: await measureMemory(settings, onProgress)
  }
}

function markdown ({ keys, split, memory }, { growth: { starts, rounds, requests, open } }) {
  return `## With more keys

CPU time added to the baseline, in µs, for a session of ${SESSION_BYTES} bytes that the last of the keys sealed; "forged" is such a
cookie with one character changed. Starts: ${starts}, each with ${rounds} rounds of ${requests} requests. This package has
\`tokenCache: 0\` here. (The peer writes a session again at every request unless its first key sealed it.)

${table(['', ...KEY_ROUTES], NAMES.map(name => [name, ...KEY_ROUTES.map(route => spread(keys[route][name]))]))}

![CPU time over the number of keys](results/keys.svg)

## With more cookies

The same for a session of ${SIZES.join(', ')} bytes, which lies over 1, 2 and 3 cookies (\`maxCookies: 3\`).

${table(['', ...ROUTES], SPLIT_NAMES.flatMap(name => SIZES.map((bytes, index) => {
  const count = index + 1
  return [`${name}, ${count}: ${bytes} bytes`, ...ROUTES.map(route => spread(split[`${count} cookies, ${route}`][name]))]
})))}

The control, a second baseline: ${ROUTES.map(route => `${route} ${spread(split[`1 cookies, ${route}`]['baseline again'])}`).join(', ')}.

![CPU time over the number of cookies](results/cookies.svg)

## Memory of an open request

Bytes of heap and external memory that a request holds while its handler waits, after a garbage collection: medians over
rounds of ${open} open requests, with the quartiles.

${table(['', 'bytes of one request', 'more than the baseline'], Object.entries(memory).map(([name, held]) => {
  return [name, spread(held, 0), grouped(held.median - memory.baseline.median)]
}))}
`
}

function charts ({ keys, split }) {
  return { keys: keysChart(keys), cookies: cookiesChart(split) }
}

function keysChart (keys) {
  const series = (group, text) => COUNTS.map(count => pointOf(count, keys[group][text(count)]))
  const panel = (title, group) => ({
    title,
    x: { label: 'keys', marks: COUNTS },
    y: { label: 'µs added to a request' },
    series: {
      sealed: series(group, count => `sealed, ${count} in an array`),
      'sealed, keyring': series(group, count => `sealed, ${count} in a ring`),
      peer: series(group, count => `peer, ${count} in an array`)
    }
  })
  return lines({
    title: 'CPU time that a session adds to a request, over the number of keys',
    description: 'Medians with quartiles for 1, 10 and 100 keys, of which the last sealed the session: this package ' +
      'without its cache, with an array of keys and with a keyring, and the peer.',
    names: ['sealed', 'sealed, keyring', 'peer'],
    panels: [panel('A handler reads', 'read'), panel('A forged cookie', 'forged')],
    evenly: true
  })
}

function cookiesChart (split) {
  const marks = SIZES.map((bytes, index) => index + 1)
  return lines({
    title: 'CPU time that a session adds to a request, over the number of its cookies',
    description: 'Medians with quartiles for a session split over 1, 2 and 3 cookies.',
    names: SPLIT_NAMES,
    panels: [['A handler reads', 'read'], ['A handler writes', 'write']].map(([title, route]) => ({
      title,
      x: { label: 'cookies, nearly full', marks },
      y: { label: 'µs added to a request' },
      series: Object.fromEntries(SPLIT_NAMES.map(name => {
        return [name, marks.map(count => pointOf(count, split[`${count} cookies, ${route}`][name]))]
      }))
    })),
    evenly: true
  })
}

function pointOf (x, { median, lower, upper }) {
  return { x, y: median, lower, upper }
}

module.exports = { run, markdown, charts }
