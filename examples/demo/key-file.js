'use strict'

const { randomBytes, randomUUID } = require('node:crypto')
const { link, mkdir, readFile, unlink, writeFile } = require('node:fs/promises')
const { join } = require('node:path')
const { makeCertificate } = require('./certificate')

const KEY_BYTES = 32
const ONLY_OWNER_FILE = 0o600
const ONLY_OWNER_FOLDER = 0o700

/** The key in `<folder>/session.key`. */
function readOrMakeKey (folder) {
  return readOrMake(folder, 'session.key', () => `${randomBytes(KEY_BYTES).toString('base64url')}\n`)
}

/** A private key and a certificate for `localhost`, in `<folder>/localhost.pem`. */
function readOrMakeCertificate (folder) {
  return readOrMake(folder, 'localhost.pem', makeCertificate)
}

/**
 * What the file holds. If there is none, it is made. Processes that start at the same time all read the one file that
 * came first: with a key each, they would refuse each other's sessions.
 */
async function readOrMake (folder, name, make) {
  const path = join(folder, name)
  return await read(path) ?? write(folder, path, make())
}

async function read (path) {
  try {
    return await readFile(path)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return null
  }
}

/** Writes a temporary file, then links it: no process reads half a key, and a link never replaces a file. */
async function write (folder, path, text) {
  await mkdir(folder, { recursive: true, mode: ONLY_OWNER_FOLDER })
  const draft = join(folder, `${randomUUID()}.draft`)
  await writeFile(draft, text, { flag: 'wx', mode: ONLY_OWNER_FILE, flush: true })
  try {
    await link(draft, path)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  } finally {
    await unlink(draft)
  }
  return readFile(path)
}

module.exports = { readOrMakeCertificate, readOrMakeKey }
