'use strict'

/** How often the table says at most when a session was last seen. */
const SEEN_EVERY_MS = 60_000

/**
 * The devices of users in Redis: one hash per user, with one field per session. The field is the hash of the session's
 * id, as the events have it. The value contains the id itself, by which the session can be ended.
 */
class DeviceTable {
  #redis
  #idleMs
  #absoluteMs

  /**
   * @param redis a client such as ioredis
   * @param limits how long a session can live, as the options `idle` and `absolute` say: older rows are removed
   */
  constructor (redis, { idleMs, absoluteMs }) {
    this.#redis = redis
    this.#idleMs = idleMs
    this.#absoluteMs = absoluteMs
  }

  /** @param device `{ key, id, agent, place, createdAtMs, firstSeenMs, lastSeenMs }`: `key` is the hash of the id */
  async add (user, { key, ...device }) {
    await this.#redis.multi()
      .hset(rowsKeyOf(user), key, JSON.stringify(device))
      .pexpire(rowsKeyOf(user), this.#absoluteMs)
      .set(userKeyOf(key), user, 'PX', this.#absoluteMs)
      .exec()
  }

  /** Says when the session was last seen. Does nothing for one that is not in the table. */
  async seen (key, lastSeenMs) {
    const user = await this.#redis.get(userKeyOf(key))
    const row = user === null ? null : await this.#redis.hget(rowsKeyOf(user), key)
    if (row !== null) await this.#redis.hset(rowsKeyOf(user), key, JSON.stringify({ ...JSON.parse(row), lastSeenMs }))
  }

  /** The devices of a user whose sessions have not expired, the one that was seen last first. */
  async list (user, nowMs) {
    const devices = await this.#all(user)
    return devices
      .filter(device => !this.#hasExpired(device, nowMs))
      .sort((a, b) => b.lastSeenMs - a.lastSeenMs)
  }

  async remove (key) {
    const user = await this.#redis.get(userKeyOf(key))
    if (user !== null) await this.#removeRows(user, [{ key }])
  }

  /** Removes the devices of a user whose sessions have expired. */
  async removeExpired (user, nowMs) {
    const devices = await this.#all(user)
    await this.#removeRows(user, devices.filter(device => this.#hasExpired(device, nowMs)))
  }

  /** Removes the devices of a user whose sessions were created up to this time. */
  async removeAll (user, upToMs) {
    const devices = await this.#all(user)
    await this.#removeRows(user, devices.filter(({ createdAtMs }) => createdAtMs <= upToMs))
  }

  async #all (user) {
    const rows = await this.#redis.hgetall(rowsKeyOf(user))
    return Object.entries(rows).map(([key, row]) => ({ key, ...JSON.parse(row) }))
  }

  async #removeRows (user, devices) {
    if (devices.length === 0) return
    const keys = devices.map(({ key }) => key)
    await this.#redis.multi().hdel(rowsKeyOf(user), ...keys).del(...keys.map(userKeyOf)).exec()
  }

  /** A session may have been used since the table last said so. */
  #hasExpired ({ firstSeenMs, lastSeenMs }, nowMs) {
    return nowMs - firstSeenMs >= this.#absoluteMs || nowMs - lastSeenMs >= this.#idleMs + SEEN_EVERY_MS
  }
}

/** The name in Redis of the devices of a user. */
function rowsKeyOf (user) {
  return `devices:${user}`
}

/** The name in Redis of the user of a device. */
function userKeyOf (key) {
  return `device:${key}`
}

module.exports = { DeviceTable, SEEN_EVERY_MS }
