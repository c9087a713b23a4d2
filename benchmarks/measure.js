'use strict'

const { randomBytes, randomInt } = require('node:crypto')
const { Contestant } = require('./contestant')
const { ROUTES } = require('./routes')
const variants = require('./servers')

/**
 * CPU time per request, in microseconds, as `samples[route][variant]`: arrays in the order of the rounds, so that equal
 * places were measured side by side. The servers start anew several times, since each process settles on machine code
 * and a heap of its own, which no number of rounds evens out.
 */
async function measure ({ starts, rounds, requests, 'warm-up': warmUp, connections }, onProgress) {
  const samples = Object.fromEntries(ROUTES.map(route => [route.name, Object.fromEntries(variants.map(({ name }) => [name, []]))]))
  let cookieLengths = {}
  for (let start = 0; start < starts; start++) {
    const contestants = await startAll(connections)
    for (const contestant of contestants) await contestant.verify()
    if (start === 0) cookieLengths = await weighAll(contestants)
    onProgress(`start ${start + 1} of ${starts}: verified, warming up`)
    await inTurns(contestants, (contestant, route) => contestant.send(route, warmUp))
    for (let round = 0; round < rounds; round++) {
      await inTurns(contestants, async (contestant, route) => {
        samples[route.name][contestant.name].push(await contestant.measure(route, requests))
      })
      onProgress(`start ${start + 1} of ${starts}: round ${round + 1} of ${rounds}`)
    }
    for (const contestant of contestants) await contestant.stop()
  }
  return { samples, cookieLengths }
}

/** Each route at each server, in an order drawn anew for each route: no server is always first, or always after the same one. */
async function inTurns (contestants, step) {
  for (const route of ROUTES) {
    for (const contestant of shuffled(contestants)) await step(contestant, route)
  }
}

function shuffled (items) {
  const left = [...items]
  return items.map(() => left.splice(randomInt(left.length), 1)[0])
}

/** The servers without sessions get the cookie of the last, so that they parse as much. */
async function startAll (connections) {
  const key = randomBytes(32)
  const started = []
  let strangersCookie = null
  for (const variant of variants.toReversed()) {
    const contestant = await Contestant.start(variant, { key, connections, strangersCookie })
    strangersCookie ??= contestant.cookie
    started.unshift(contestant)
  }
  return started
}

async function weighAll (contestants) {
  const weighed = {}
  for (const contestant of contestants) weighed[contestant.name] = await contestant.weighCookies()
  return weighed
}

module.exports = { measure }
