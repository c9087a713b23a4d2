import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KEY_BYTES, randomize } from '../core/aead'
import { isoTime } from '../keyring/document'
import {
  DEFAULT_ACTIVATE_IN_MS, DEFAULT_KEEP_FOR_MS, keyThatSeals, pruned, revoked, rotated
} from '../keyring/lifecycle'
import { nameOf } from '../keyring/stored-keyring'
import { rewrap as rewrapStore } from '../keyring/wrapped-keyring'
import { durationOption, WrongUse, type Command } from './command'
import { historyJson, historyOf, keyTable, timeline, type KeyHistory } from './key-history'
import { changeKeys, KEYRING_OPTIONS, loadWrapping, readKeys, withStore } from './keyring-access'
import { quoted } from './text'

/** The commands that make a key, and show and change the keys of a keyring. */

export const generate: Command = {
  name: 'generate',
  summary: 'print a new key for the option "key" of the plugin',
  about: `Prints 32 random bytes in base64url. No other command prints a key. In
PowerShell use --out, because ">" writes UTF-16 there.`,
  options: ['out'],
  async run ({ out }, { cwd }) {
    const key = randomize(Buffer.alloc(KEY_BYTES)).toString('base64url')
    if (out === undefined) return { lines: [key], json: { key } }
    await writeFile(resolve(cwd, out), `${key}\n`, { flag: 'wx', mode: 0o600 })
    return { lines: [`Wrote a new key to ${out}.`], json: { file: out } }
  }
}

export const list: Command = {
  name: 'list',
  summary: 'show the keys of a keyring: their states and times',
  about: `Shows the id of each key, its state, when it seals and until when it opens
sessions, and the same as a timeline. It shows no key. Dates are in UTC.`,
  options: KEYRING_OPTIONS,
  async run (args, io) {
    const records = await readKeys(args, io)
    const nowMs = io.now()
    const keys = historyOf(records, nowMs)
    return {
      lines: [...keyTable(keys, nowMs), '', ...timeline(keys, nowMs)],
      json: { now: isoTime(nowMs), keys: keys.map(historyJson) }
    }
  }
}

export const rotate: Command = {
  name: 'rotate',
  summary: 'add a key that becomes active in an hour',
  about: `The key becomes active in an hour, when all servers have read it. The key before
it opens its sessions for another 90 days, so no user is logged out. Run it from
cron, or use the option "rotation". If a key has leaked, use revoke.`,
  options: [...KEYRING_OPTIONS, 'activate-in', 'now', 'keep-for'],
  async run (args, io) {
    if (args.now && args['activate-in'] !== undefined) throw new WrongUse('give only one of --now or --activate-in')
    const activateInMs = args.now ? 0 : durationOption(args, 'activate-in', DEFAULT_ACTIVATE_IN_MS)
    const keepForMs = durationOption(args, 'keep-for', DEFAULT_KEEP_FOR_MS)
    const { before, after, nowMs } = await changeKeys(args, io, (keys, nowMs) => {
      return rotated(keys, nowMs, { activateInMs, keepForMs })
    })
    const keys = historyOf(after, nowMs)
    const expiries = new Map(before.map(({ id, expiresAtMs }) => [id, expiresAtMs]))
    const added = keys.find(({ id }) => !expiries.has(id)) as KeyHistory
    // May include the new key, if a pending key comes after it.
    const former = after.filter(({ id, expiresAtMs }) => expiresAtMs !== (expiries.get(id) ?? null))
    return {
      lines: [`Added key ${added.id}.`, ...keyTable(keys, nowMs)],
      json: {
        added: historyJson(added),
        seals: keyThatSeals(after, nowMs).id,
        former: former.map(({ id, expiresAtMs }) => ({ id, opensUntil: isoTime(expiresAtMs) }))
      }
    }
  }
}

export const revoke: Command = {
  name: 'revoke',
  argument: '<id>',
  summary: 'revoke all sessions that a leaked key sealed',
  about: `Sessions that the key sealed no longer open; list shows its id. If the key is
active, a pending key becomes active at once, or a new key is added. If the
whole keyring has leaked, revoke every key. Servers apply it when they next read
the keyring: every 10 seconds by default, in Kubernetes after a minute or two.`,
  options: [...KEYRING_OPTIONS, 'keep-for'],
  async run (args, io) {
    const id = args.argument.toLowerCase()
    if (!/^[\da-f]{8}$/.test(id)) throw new WrongUse(`the id of a key is 8 hex digits; found ${quoted(args.argument)}`)
    const keepForMs = durationOption(args, 'keep-for', DEFAULT_KEEP_FOR_MS)
    const { name, before, after, nowMs } = await changeKeys(args, io, (keys, nowMs) => {
      return revoked(keys, id, nowMs, keepForMs)
    })
    const key = after.find(key => key.id === id)
    if (key === undefined) throw new Error(`${name} has no key ${id}`)
    const wasRevoked = after === before
    const done = wasRevoked ? `Key ${id} was already revoked.` : `Revoked key ${id}: its sessions no longer open.`
    return {
      lines: [done, ...keyTable(historyOf(after, nowMs), nowMs)],
      json: { id, revokedAt: isoTime(key.revokedAtMs), wasRevoked, seals: keyThatSeals(after, nowMs).id }
    }
  }
}

export const prune: Command = {
  name: 'prune',
  summary: 'remove expired keys',
  about: `Removes expired keys: the sessions that they sealed have expired. Revoked keys
stay without --revoked, so that you can see what was revoked and when.`,
  options: [...KEYRING_OPTIONS, 'revoked'],
  async run (args, io) {
    const { before, after, nowMs } = await changeKeys(args, io, (keys, nowMs) => {
      const left = pruned(keys, nowMs, args.revoked)
      return left.length === keys.length ? null : left
    })
    const removed = before.filter(key => !after.includes(key)).map(({ id }) => id)
    const revokedLeft = after.filter(({ revokedAtMs }) => revokedAtMs !== null).map(({ id }) => id)
    return {
      lines: [`Removed: ${removed.join(', ') || 'no key'}.`, ...keyTable(historyOf(after, nowMs), nowMs)],
      json: { removed, revokedLeft }
    }
  }
}

export const rewrap: Command = {
  name: 'rewrap',
  summary: 'encrypt a stored keyring with another wrapping key',
  about: `Reads the keyring, and writes it again under a new data key, which wrap of the
module encrypts. So a keyring changes to the wrapping key of now; one that was
stored as plain text becomes a wrapped one. The keys of sessions stay.`,
  options: KEYRING_OPTIONS,
  async run (args, io) {
    const wrapping = await loadWrapping(args.wrapping, io)
    return await withStore(args, io, async store => {
      await rewrapStore(store, wrapping)
      return { lines: [`Wrapped ${nameOf(store)}.`], json: { rewrapped: true } }
    })
  }
}
