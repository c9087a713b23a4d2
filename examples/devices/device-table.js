'use strict'

/**
 * The devices of users in Redis: one hash per user, with one field per session. The field is the hash of the session's
 * id, as the events have it. The value contains the id itself, by which the session can be ended.
 */
class DeviceTable {
  #redis
  #longestMs

  /**
   * @param redis a client such as ioredis
   * @param longestMs how long a session can live: older rows are removed
   */
  constructor (redis, longestMs) {
    this.#redis = redis
    this.#longestMs = longestMs
  }

  /** @param device `{ key, id, agent, place, firstSeenMs, lastSeenMs }`, with the hash of the id as `key` */
  async add (user, { key, ...device }) {
    await this.#redis.multi()
      .hset(rowsOf(user), key, JSON.stringify(device))
      .pexpire(rowsOf(user), this.#longestMs)
      .set(userOf(key), user, 'PX', this.#longestMs)
      .exec()
  }

  /** Says when the session was last seen. Does nothing for one that is not in the table. */
  async seen (key, lastSeenMs) {
    const user = await this.#redis.get(userOf(key))
    const row = user === null ? null : await this.#redis.hget(rowsOf(user), key)
    if (row !== null) await this.#redis.hset(rowsOf(user), key, JSON.stringify({ ...JSON.parse(row), lastSeenMs }))
  }

  /** The devices of a user, the one that was seen last first. */
  async list (user, nowMs) {
    const rows = Object.entries(await this.#redis.hgetall(rowsOf(user)))
    return rows
      .map(([key, row]) => ({ key, ...JSON.parse(row) }))
      .filter(({ firstSeenMs }) => nowMs - firstSeenMs < this.#longestMs)
      .sort((a, b) => b.lastSeenMs - a.lastSeenMs)
  }

  async remove (key) {
    const user = await this.#redis.get(userOf(key))
    if (user === null) return
    await this.#redis.multi().hdel(rowsOf(user), key).del(userOf(key)).exec()
  }

  async removeAll (user) {
    const keys = await this.#redis.hkeys(rowsOf(user))
    await this.#redis.del(rowsOf(user), ...keys.map(userOf))
  }
}

function rowsOf (user) {
  return `devices:${user}`
}

function userOf (key) {
  return `device:${key}`
}

module.exports = { DeviceTable }
