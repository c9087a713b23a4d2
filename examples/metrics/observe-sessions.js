'use strict'

const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const { Counter, Histogram } = require('prom-client')

const REASONS = ['malformed', 'unknown-version', 'unknown-key', 'forged', 'unsupported', 'expired', 'from-the-future', 'revoked', 'unproven', 'ambiguous']
const CHECKS = ['none', 'good', 'unchecked']
const KINDS = ['new', 'changed']
const ENDINGS = ['id', 'subject', 'others']

/** A Set-Cookie line has 4,093 bytes for the name, the value and the attributes of a cookie. */
const COOKIE_BYTES = [256, 512, 1024, 2048, 3072, 3584, 3840, 4096]

/**
 * Counts what the sessions of this process do, in metrics of prom-client. This file needs nothing else of this folder.
 *
 * The only labels are words of a closed list, and the names of the app's sessions. The messages have ids as well, hashed: no label
 * is made of them, for each value of a label is a time series of its own, which Prometheus keeps in memory.
 *
 * @param registry prom-client's, whose metrics are scraped
 * @param names what the app calls its sessions: their counters begin at 0. Without that the first event of a kind would be no
 *   increase, since its counter would begin at 1
 * @returns a function that ends the counting
 */
function observeSessions (registry, names = ['session']) {
  const metrics = metricsIn(registry)
  for (const session of names) beginAtZero(metrics, session)
  const listeners = listenersOf(metrics)
  for (const [channel, listener] of listeners) subscribe(channel, listener)
  return () => {
    for (const [channel, listener] of listeners) unsubscribe(channel, listener)
  }
}

function metricsIn (registry) {
  const counter = (name, help, ...labels) => new Counter({ name, help, labelNames: ['session', ...labels], registers: [registry] })
  return {
    opened: counter('sealed_session_opened_total', 'Sessions that requests brought and looked at, by whether the store was asked about them.', 'check'),
    refused: counter('sealed_session_refused_total', 'Cookies that are not to be used, by the reason.', 'reason'),
    sealed: counter('sealed_session_sealed_total', 'Sessions written into their cookies.', 'kind'),
    renewed: counter('sealed_session_renewed_total', 'Stamps that began the idle time of a session again.'),
    checked: counter('sealed_session_checked_total', 'Stamps that say that the store was asked.'),
    revoked: counter('sealed_session_revoked_total', 'Cut-offs that the store took: of one session, of a subject, of all its other sessions.', 'by'),
    bytes: new Histogram({
      name: 'sealed_session_cookie_bytes',
      help: 'Lengths of the values of cookies that were written.',
      labelNames: ['session'],
      buckets: COOKIE_BYTES,
      registers: [registry]
    })
  }
}

function beginAtZero ({ opened, refused, sealed, renewed, checked, revoked, bytes }, session) {
  for (const check of CHECKS) opened.inc({ session, check }, 0)
  for (const reason of REASONS) refused.inc({ session, reason }, 0)
  for (const kind of KINDS) sealed.inc({ session, kind }, 0)
  for (const by of ENDINGS) revoked.inc({ session, by }, 0)
  renewed.inc({ session }, 0)
  checked.inc({ session }, 0)
  bytes.zero({ session })
}

/** They run within the request, so they only count. What one throws would end the process: Node takes it for an uncaught exception. */
function listenersOf ({ opened, refused, sealed, renewed, checked, revoked, bytes }) {
  return Object.entries({
    'fastify-sealed-session:opened': ({ session, check }) => { opened.inc({ session, check: check ?? 'none' }) },
    'fastify-sealed-session:refused': ({ session, reason }) => { refused.inc({ session, reason }) },
    'fastify-sealed-session:sealed': ({ session, length, isNew }) => {
      sealed.inc({ session, kind: isNew ? 'new' : 'changed' })
      bytes.observe({ session }, length)
    },
    'fastify-sealed-session:renewed': ({ session, isRenewed, isChecked }) => {
      if (isRenewed) renewed.inc({ session })
      if (isChecked) checked.inc({ session })
    },
    'fastify-sealed-session:revoked': ({ session, by }) => { revoked.inc({ session, by }) }
  })
}

module.exports = { observeSessions }
