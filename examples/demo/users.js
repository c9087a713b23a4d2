'use strict'

const { randomBytes, scrypt, timingSafeEqual } = require('node:crypto')
const { promisify } = require('node:util')

const derive = promisify(scrypt)

const SALT_BYTES = 16
const HASH_BYTES = 32
// OWASP Password Storage Cheat Sheet: N = 2^15, r = 8, p = 3, which takes 32 MiB.
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }

/** @param people a list of `{ id, name, password }`; of each password only a salted hash is kept */
async function makeUsers (people) {
  const accounts = new Map(await Promise.all(people.map(accountOf)))
  // Checked in place of an account that does not exist, so that the answer takes as long. No password has this hash.
  const decoy = { salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) }

  return {
    /** The user `{ id, name }`; null where the id is unknown or the password wrong, and nothing tells which. */
    async verify (id, password) {
      const account = accounts.get(id)
      const { salt, hash } = account ?? decoy
      const isRight = timingSafeEqual(await derive(password, salt, HASH_BYTES, COST), hash)
      return isRight && account !== undefined ? account.user : null
    },

    /** The user's password from now on. */
    async setPassword (user, password) {
      accounts.set(...await accountOf({ ...user, password }))
    }
  }
}

async function accountOf ({ id, name, password }) {
  const salt = randomBytes(SALT_BYTES)
  return [id, { user: { id, name }, salt, hash: await derive(password, salt, HASH_BYTES, COST) }]
}

module.exports = { makeUsers }
