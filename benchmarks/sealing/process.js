'use strict'

/** Measures in a process of its own, whose heap and machine code nothing else has touched. Argument: the settings, as JSON. */

const { shuffled, summary } = require('../report/statistics')
const { SIZES, sessionData } = require('../session/data')
const callsFor = require('./calls')

/** Rounds that are not counted. */
const WARM_UP = 5

async function main ([json]) {
  const { rounds, calls: count } = JSON.parse(json)
  const all = []
  for (const bytes of SIZES) {
    for (const [kind, calls] of Object.entries(await callsFor(sessionData(bytes)))) {
      for (const [name, call] of Object.entries(calls)) all.push({ bytes, kind, name, call, found: [] })
    }
  }
  for (let round = 0; round < WARM_UP + rounds; round++) {
    for (const each of shuffled(all)) {
      const us = cpuOf(each.call, count)
      if (round >= WARM_UP) each.found.push(us)
    }
    process.send({ progress: `round ${round + 1} of ${WARM_UP + rounds}` })
  }
  const results = SIZES.map(size => ({
    bytes: size,
    calls: all.filter(({ bytes }) => bytes === size).map(({ kind, name, found }) => ({ kind, name, ...summary(found) }))
  }))
  process.send({ results }, () => process.disconnect())
}

/** Microseconds of CPU time of one call. */
function cpuOf (call, count) {
  const before = process.cpuUsage()
  for (let called = 0; called < count; called++) call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

main(process.argv.slice(2))
