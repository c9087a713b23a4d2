'use strict'

const stacked = require('../charts/stacked')
const { SESSION_BYTES } = require('../session/data')
const { STEPS } = require('./steps')

/** In the order in which a request passes through them, on white and on black. */
const COLOURS = {
  'Cookie header': ['#6e4a1f', '#d4a72c'],
  cache: ['#cf222e', '#ff7b72'],
  base64url: ['#bc4c00', '#f0883e'],
  cipher: ['#1f883d', '#3fb950'],
  envelope: ['#0a7ea4', '#39c5cf'],
  JSON: ['#0969da', '#58a6ff'],
  'session object': ['#6e7781', '#9198a1'],
  plan: ['#953800', '#ffa657'],
  nonce: ['#0b5a2a', '#a5d6a7'],
  'reply headers': ['#8250df', '#bc8cff'],
  'onSend hook': ['#bf3989', '#f778ba']
}

module.exports = function charts ({ routes }) {
  const rows = routes.map(({ route, steps }) => ({
    name: route,
    parts: steps
      .map(({ us }, index) => ({ kind: STEPS[index].kind, value: Math.max(us ?? 0, 0) }))
      .filter(({ value }) => value > 0)
  }))
  const figures = rows.map(({ name, parts }) => {
    return `${name}: ${parts.map(({ kind, value }) => `${kind} ${value.toFixed(1)}`).join(', ')}`
  })
  return {
    anatomy: stacked({
      title: `Where the time of a request goes: what this package takes, with a session of ${SESSION_BYTES} bytes`,
      description: `${figures.join('; ')} microseconds, in the order of the steps.`,
      unit: 'µs of a request in a server, in the order of the steps; less is better',
      colours: COLOURS,
      rows
    })
  }
}
