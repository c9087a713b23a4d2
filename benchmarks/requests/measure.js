'use strict'

const { randomBytes } = require('node:crypto')
const { SESSION_BYTES, SIZES } = require('../session/data')
const { dueCookies, sealedCookies, stampedCookies } = require('../session/aged-cookies')
const { shuffled } = require('../report/statistics')
const { startRedis } = require('../traffic/redis')
const variants = require('../servers')
const { Contestant } = require('./contestant')
const { ROUTES } = require('./routes')

const OTHER_SIZES = SIZES.filter(bytes => bytes !== SESSION_BYTES)
const SHARE_AT_OTHER_SIZES = 0.5
/** Of the requests to a slow contestant, and of those of its warm-up: what it costs needs no such precision. */
const SHARE_OF_SLOW = 0.2
const WARM_UP_SHARE_OF_SLOW = 0.3

/**
 * CPU time per request, in microseconds, as `samples[bytes][route][server][start][round]`. All servers of one round are
 * measured within seconds of each other. Each start has new processes, in random order: a process keeps the machine
 * code and the heap of its first seconds, and more rounds do not even that out.
 */
async function measure (settings, onProgress) {
  const { starts, rounds, sizeRounds, requests, warmUp } = settings
  const samples = {}
  const redis = await startRedis()
  if (redis === null) onProgress('no redis-server in the PATH: its row is left out')
  const key = randomBytes(32)
  const sealed = await sealedBySize(key, settings.missCookies)
  const taking = variants.filter(({ needsRedis }) => !needsRedis || redis !== null)
  for (let start = 0; start < starts; start++) {
    const contestants = []
    for (const variant of shuffled(taking)) {
      contestants.push(await Contestant.start(variant, { ...settings, key, sealed, redisUrl: redis?.url }))
    }
    for (const contestant of contestants) await contestant.verify()
    const place = `start ${start + 1} of ${starts}`
    onProgress(`${place}: ${contestants.length} servers verified, warming up`)
    await inTurns(contestants, SESSION_BYTES, warmUp, send, WARM_UP_SHARE_OF_SLOW)
    const take = takeIn(start)
    for (let round = 0; round < rounds; round++) await inTurns(contestants, SESSION_BYTES, requests, take)
    onProgress(`${place}: ${rounds} rounds at ${SESSION_BYTES} bytes`)
    for (const bytes of OTHER_SIZES) {
      await inTurns(contestants, bytes, Math.ceil(warmUp / 10), send)
      for (let round = 0; round < sizeRounds; round++) {
        await inTurns(contestants, bytes, requests * SHARE_AT_OTHER_SIZES, take)
      }
    }
    onProgress(`${place}: ${sizeRounds} rounds at ${OTHER_SIZES.join(', ')} bytes`)
    for (const contestant of contestants) await contestant.stop()
  }
  await redis?.stop()
  return { samples, redis: redis?.version ?? null }

  /** Each route on each server that takes it, both in random order. The first requests of a turn do not count. */
  async function inTurns (contestants, bytes, count, step, shareOfSlow = SHARE_OF_SLOW) {
    for (const route of shuffled(ROUTES)) {
      for (const contestant of shuffled(contestants.filter(each => each.takes(route, bytes)))) {
        await contestant.send(route, bytes, settings.heat)
        await step(contestant, route, bytes, Math.ceil(contestant.isSlow ? count * shareOfSlow : count))
      }
    }
  }

  async function send (contestant, route, bytes, count) {
    await contestant.send(route, bytes, count)
  }

  function takeIn (start) {
    return async (contestant, route, bytes, count) => {
      const us = await contestant.measure(route, bytes, count)
      const ofServer = ((samples[bytes] ??= {})[route.name] ??= {})[contestant.name] ??= []
      ;(ofServer[start] ??= []).push(us)
    }
  }
}

async function sealedBySize (key, count) {
  const bySize = {}
  for (const bytes of SIZES) bySize[bytes] = { own: sealedCookies(key, bytes, count) }
  const main = bySize[SESSION_BYTES]
  main.due = dueCookies(key, SESSION_BYTES, count)
  main.stamped = await stampedCookies(key, SESSION_BYTES, count)
  return bySize
}

module.exports = { SHARE_AT_OTHER_SIZES, SHARE_OF_SLOW, measure }
