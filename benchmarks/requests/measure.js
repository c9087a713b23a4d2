'use strict'

const { randomBytes } = require('node:crypto')
const { SESSION_BYTES, SIZES } = require('../session/data')
const { shuffled } = require('../report/statistics')
const { startRedis } = require('../traffic/redis')
const variants = require('../servers')
const { Contestant } = require('./contestant')
const { ROUTES } = require('./routes')

const OTHER_SIZES = SIZES.filter(bytes => bytes !== SESSION_BYTES)
const SHARE_AT_OTHER_SIZES = 0.5
/** Of the requests to a slow contestant that count: what it costs needs no such precision. Its warm-up is as long as all others'. */
const SHARE_OF_SLOW = 0.15

/**
 * CPU time per request, in microseconds, as `samples[bytes][route][variant]`: arrays in the order of the rounds, so that equal
 * places were measured side by side. The servers start anew several times, since each process settles on machine code
 * and a heap of its own, which no number of rounds evens out.
 */
async function measure (settings, onProgress) {
  const { starts, rounds, sizeRounds, requests, warmUp } = settings
  const samples = {}
  let doNotFit = {}
  const redis = await startRedis()
  if (redis === null) onProgress('no redis-server in the PATH: its row is left out (apt-get install redis-server)')
  for (let start = 0; start < starts; start++) {
    const contestants = await startAll(settings, redis)
    for (const contestant of contestants) await contestant.verify()
    doNotFit = Object.fromEntries(SIZES.map(bytes => [bytes, contestants.filter(({ cookies }) => cookies[bytes] === null).map(({ name }) => name)]))
    const place = `start ${start + 1} of ${starts}`
    onProgress(`${place}: ${contestants.length} servers verified, warming up`)
    await inTurns(contestants, SESSION_BYTES, warmUp, send)
    for (let round = 0; round < rounds; round++) {
      await inTurns(contestants, SESSION_BYTES, requests, take)
      onProgress(`${place}: round ${round + 1} of ${rounds} at ${SESSION_BYTES} bytes`)
    }
    for (const bytes of OTHER_SIZES) {
      await inTurns(contestants, bytes, Math.ceil(warmUp / 20), send)
      for (let round = 0; round < sizeRounds; round++) await inTurns(contestants, bytes, requests * SHARE_AT_OTHER_SIZES, take)
      onProgress(`${place}: ${sizeRounds} rounds at ${bytes} bytes`)
    }
    for (const contestant of contestants) await contestant.stop()
  }
  await redis?.stop()
  return { samples, doNotFit, redis: redis?.version ?? null }

  /**
   * Each route on each server that takes it, both in an order drawn anew: none is always first, or always after the same one. All servers take a
   * route within a second, since a machine that others share is slow for seconds at a time: else the quartiles lie several times as far apart.
   */
  async function inTurns (contestants, bytes, count, step) {
    for (const route of shuffled(ROUTES)) {
      for (const contestant of shuffled(contestants.filter(each => each.takes(route, bytes)))) {
        await contestant.send(route, bytes, settings.heat)
        await step(contestant, route, bytes, count)
      }
    }
  }

  async function send (contestant, route, bytes, count) {
    await contestant.send(route, bytes, count)
  }

  async function take (contestant, route, bytes, count) {
    const ofRoute = (samples[bytes] ??= {})[route.name] ??= {}
    ;(ofRoute[contestant.name] ??= []).push(await contestant.measure(route, bytes, Math.ceil(contestant.isSlow ? count * SHARE_OF_SLOW : count)))
  }
}

/** The servers without sessions get the cookies of this package, so that they parse as much. */
async function startAll ({ connections }, redis) {
  const options = { key: randomBytes(32), connections, sizes: [SESSION_BYTES, ...OTHER_SIZES], redisUrl: redis?.url }
  const started = new Map()
  const start = async (variant, strangers) => { started.set(variant, await Contestant.start(variant, { ...options, strangers })) }
  const taking = variants.filter(({ needsRedis }) => !needsRedis || redis !== null)
  await Promise.all(taking.filter(({ hasSession }) => hasSession).map(variant => start(variant)))
  const sealed = started.get(taking.find(({ hasStamp }) => hasStamp))
  await Promise.all(taking.filter(({ hasSession }) => !hasSession).map(variant => start(variant, sealed.cookies)))
  return taking.map(variant => started.get(variant))
}

module.exports = { SHARE_AT_OTHER_SIZES, SHARE_OF_SLOW, measure }
