import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

/** The pages of a hand-over. They contain nothing but what they need, and no cache keeps them. */

const SUBMIT = 'document.forms[0].submit()'
const hash = createHash('sha256').update(SUBMIT).digest('base64')

function headers (scripts: string): Record<string, string> {
  return {
    'cache-control': 'no-store',
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'no-referrer',
    // In place of a policy of the app. No `form-action`: Chromium applies it to redirects after the form, too.
    'content-security-policy': `default-src 'none'; ${scripts}base-uri 'none'; frame-ancestors 'none'`
  }
}

const FORM_HEADERS = headers(`script-src 'sha256-${hash}'; `)
const REFUSAL_HEADERS = headers('')

/** Sends a page that posts these fields to a URL at once. The button is for browsers that run no scripts. */
export function sendForm (reply: FastifyReply, action: string, fields: Readonly<Record<string, string>>): FastifyReply {
  const inputs = Object.entries(fields).map(([name, value]) => {
    return `<input type="hidden" name="${name}" value="${escaped(value)}">`
  })
  return reply.code(200).headers(FORM_HEADERS).send(
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>One moment</title>' +
    `<form method="post" action="${escaped(action)}">${inputs.join('')}<button>Continue</button></form>` +
    `<script>${SUBMIT}</script>\n`)
}

/** A ticket was refused, or was asked for by no receiver. The reason is in the log. */
export function sendRefusal (reply: FastifyReply): FastifyReply {
  return reply.code(403).headers(REFUSAL_HEADERS).send(
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not logged in</title>' +
    '<p>You could not be logged in from the other site. Please begin again. (hand-over-refused)\n')
}

function escaped (text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;')
}
