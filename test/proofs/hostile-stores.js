'use strict'

/** What an app hands to the plugin, and how it can go wrong: one trouble after the other, as the settings list them. */

const { setTimeout: pause } = require('node:timers/promises')
const raise = require('./raise')

/** A function that gives one of these after the other, over and over. */
function inTurn (items) {
  let turn = 0
  return () => items[turn++ % items.length]
}

const REJECTIONS = {
  error: () => new Error('connect ECONNREFUSED redis-1.internal:6379, password hunter2'),
  undefined: () => undefined,
  null: () => null,
  text: () => 'a text',
  object: () => Object.create(null),
  getter: () => ({ get message () { throw new Error('a getter') } }),
  frozen: () => Object.freeze(new Error('frozen')),
  status: () => Object.assign(new Error('with a status'), { statusCode: 404, headers: { 'x-bad': 'line\nbreak' } })
}

const NONSENSE = {
  nothing: undefined,
  null: null,
  text: 'OK',
  empty: [],
  texts: ['1', '2', '3'],
  negative: [-1, -1, -1],
  notNumbers: [NaN, NaN, NaN],
  object: {},
  endless: Infinity,
  far: [Number.MAX_VALUE, Number.MAX_VALUE, Number.MAX_VALUE]
}

/** Does what the turn says in place of, before or after the work. It may throw at once. */
function troubled ({ how, ms = 0, what }, work) {
  switch (how) {
    case 'answer': return ms === 0 ? work() : pause(ms).then(work)
    case 'late': return work().then(async answer => { await pause(ms); return answer })
    case 'reject': return pause(ms).then(() => { throw REJECTIONS[what]() })
    case 'throw': throw REJECTIONS[what]()
    case 'never': return new Promise(() => {})
    case 'nonsense': return ms === 0 ? NONSENSE[what] : pause(ms).then(() => NONSENSE[what])
    case 'thenable': return { then (resolve) { setTimeout(() => { resolve([0]); resolve(NONSENSE.nothing) }, ms) } }
    default: throw new Error(`no such trouble: ${how}`)
  }
}

function revocationStore (plugin, { turns, max, name }) {
  const store = plugin.memoryRevocation({ max })
  const next = inTurn(turns)
  return {
    ...(name === null ? {} : { name }),
    cutOffs (keys) { return troubled(next(), () => store.cutOffs(keys)) },
    raise (key, cutOffMs, keepForMs) { return troubled(next(), () => store.raise(key, cutOffMs, keepForMs)) }
  }
}

/** A ring in memory. Its first reads are good, or the server would not start. */
function keyringStore ({ text, turns }) {
  const next = inTurn(turns)
  let held = text
  let reads = 0
  return {
    name: 'a ring in memory',
    read () {
      const work = async () => held
      return reads++ === 0 ? work() : troubled(next(), work)
    },
    update (expected, after) {
      return troubled(next(), async () => {
        if (held !== expected) return false
        held = after
        return true
      })
    }
  }
}

/** An opener of cookies whose value is the user's mark. What it answers is the next of its turns. */
function opener ({ cookieName, immediate, keep, turns }) {
  const next = inTurn(turns)
  const open = value => {
    const { how, ms = 0 } = next()
    const session = { data: { user: value, token: `token ${value}` }, id: value }
    switch (how) {
      case 'opens': return later(ms, session)
      case 'null': return later(ms, null)
      case 'throw': throw new Error('the opener throws')
      case 'throw-undefined': return raise(undefined)
      case 'reject': return later(ms, null).then(() => { raise(undefined) })
      case '503': throw unavailable()
      case 'reject-503': return later(ms, null).then(() => { throw unavailable() })
      case 'nonsense': return later(ms, { data: 'a text', renewedAt: 'never' })
      case 'unwritable': return later(ms, { data: { user: value, map: 1n } })
      default: throw new Error(`no such opener: ${how}`)
    }
  }
  const later = (ms, answer) => immediate ? answer : pause(ms).then(() => answer)
  return { cookieName, immediate, keep, open }
}

function unavailable () {
  return Object.assign(new Error('the store of old sessions is closed'), { statusCode: 503 })
}

/** As JSON, with a mark before it; it throws or returns nonsense for sessions that say so. */
const serializer = {
  serialize (data) {
    if (data.poison === 'serialize') throw new Error('the serializer throws')
    if (data.poison === 'serialize-undefined') raise(undefined)
    if (data.poison === 'serialize-nonsense') return 17
    return Buffer.from(`own:${JSON.stringify(data)}`)
  },
  deserialize (bytes) {
    const data = JSON.parse(bytes.toString().slice('own:'.length))
    if (data.poison === 'deserialize') throw new Error('the deserializer throws')
    if (data.poison === 'deserialize-undefined') raise(undefined)
    if (data.poison === 'deserialize-nonsense') return 'a text'
    return data
  }
}

function subject (session) {
  switch (session.get('poison')) {
    case 'subject': throw new Error('the subject throws')
    case 'subject-undefined': return raise(undefined)
    case 'subject-object': return {}
    case 'subject-empty': return ''
    default: return session.get('user')
  }
}

function when (session) {
  switch (session.get('poison')) {
    case 'when': throw new Error('the guard throws')
    case 'when-rejects': return pause(1).then(() => { raise(undefined) })
    default: return pause(1).then(() => session.has('user'))
  }
}

module.exports = { revocationStore, keyringStore, opener, serializer, subject, when }
