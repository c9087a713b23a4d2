'use strict'

/**
 * Adds keys to a ring: one when it is told to, or one after the other until it is killed. It says each time when it
 * begins, and when the key is written.
 */

const { writeSync } = require('node:fs')
const Redis = require('ioredis')
require('../loader/typescript.js')
const { rotated } = require('../../lib/keyring/lifecycle.ts')
const { changeKeyring } = require('../../lib/keyring/stored-keyring.ts')

const STDOUT = 1
const KEEP_FOR_MS = 3_600_000

const settings = JSON.parse(process.argv[2])
const plugin = require(settings.package)

async function main () {
  // Whoever started it was killed: nobody is left to kill this one.
  process.once('disconnect', () => { process.exit() })
  const redis = settings.redis === null ? null : new Redis(settings.redis)
  const store = redis === null ? plugin.fileKeyring(settings.file) : plugin.redisKeyring(redis)
  if (settings.forEver) {
    for (;;) await addKey(store)
  }
  await store.read()
  process.once('message', async () => {
    await addKey(store)
    redis?.disconnect()
    process.disconnect()
  })
  process.send('ready')
}

async function addKey (store) {
  const startedAtMs = performance.now()
  tell('begin')
  let before = []
  const after = await changeKeyring(store, keys => {
    before = keys.map(({ id }) => id)
    return rotated(keys, Date.now(), { activateInMs: 0, keepForMs: KEEP_FOR_MS })
  })
  tell(`ok ${after.find(({ id }) => !before.includes(id)).id} ${performance.now() - startedAtMs}`)
}

/** Not through a stream, which a kill would leave full. */
function tell (line) {
  writeSync(STDOUT, `${line}\n`)
}

main()
