'use strict'

const { fork } = require('node:child_process')
const { join } = require('node:path')
const { spread, table } = require('../report/markdown')

/** Seal and open alone, without HTTP, beside the bare call into libsodium and JSON. */
function run ({ sealing: settings }, onProgress) {
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, 'process.js'), [JSON.stringify(settings)])
    child.on('message', ({ progress, results }) => {
      if (progress === undefined) resolve({ sizes: results })
      else if (/[05] of/.test(progress)) onProgress(progress)
    })
    child.once('exit', code => { if (code !== 0) reject(new Error(`the process that seals ended with ${code}`)) })
  })
}

function markdown ({ sizes }, { sealing: { rounds, calls } }) {
  return `## Seal and open alone

CPU time of one call in µs: medians of ${rounds} rounds of ${calls} calls in turns, with the quartiles. "sealed" is \`createSealer\` of \`fastify-sealed-session/sealer\`, which draws a
session id besides; "peer" is \`encodeSecureSession\` and \`decodeSecureSession\`. "libsodium alone" is the bare cipher on buffers that are there already, with a nonce drawn to seal.

${tableOf(sizes, 'seal')}

${tableOf(sizes, 'open')}
`
}

function tableOf (sizes, kind) {
  const names = sizes[0].calls.filter(call => call.kind === kind).map(({ name }) => name)
  return table([kind, ...sizes.map(({ bytes }) => `${bytes} bytes`)], names.map(name => [
    name, ...sizes.map(({ calls }) => spread(calls.find(call => call.kind === kind && call.name === name), 2))
  ]))
}

module.exports = { run, markdown, charts: () => ({}) }
