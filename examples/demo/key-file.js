'use strict'

const { randomBytes, randomUUID } = require('node:crypto')
const { link, mkdir, readFile, unlink, writeFile } = require('node:fs/promises')
const { join } = require('node:path')

const KEY_BYTES = 32
const ONLY_OWNER_FILE = 0o600
const ONLY_OWNER_FOLDER = 0o700

/**
 * The key in `<folder>/session.key`, made there where there is none. Processes that start at the same time all read
 * the one key that came first: with a key each, they would refuse each other's sessions.
 */
async function readOrMakeKey (folder) {
  const path = join(folder, 'session.key')
  return await readKey(path) ?? makeKey(folder, path)
}

async function readKey (path) {
  try {
    return await readFile(path)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return null
  }
}

/** Writes a temporary file, then links it: no process reads half a key, and a link never replaces a file. */
async function makeKey (folder, path) {
  await mkdir(folder, { recursive: true, mode: ONLY_OWNER_FOLDER })
  const draft = join(folder, `${randomUUID()}.draft`)
  const key = randomBytes(KEY_BYTES).toString('base64url')
  await writeFile(draft, `${key}\n`, { flag: 'wx', mode: ONLY_OWNER_FILE, flush: true })
  try {
    await link(draft, path)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  } finally {
    await unlink(draft)
  }
  return readFile(path)
}

module.exports = { readOrMakeKey }
