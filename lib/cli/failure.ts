import { oneLine } from './printable'

/** What ends a command early. Each is one line to the operator, and holds no secret. */

export const PROGRAM = 'fastify-sealed-session'
const START = `${PROGRAM}: `

/** The command line is not one that this program takes: exit status 2. */
export class WrongUse extends Error {}

/** The work could not be done: exit status 1. */
export class Failure extends Error {}

/** An error as one line, whatever it is. */
export function lineOf (error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  // Where all addresses of a host failed, Node gives a code and no words.
  const text = message === '' ? String(code) : message
  return `${START}${oneLine(text.startsWith(START) ? text.slice(START.length) : text)}\n`
}

/**
 * Something typed, to be named in a message. Short plain words only: what stands in the wrong place could be a key, a
 * cookie or the password of a URL.
 */
export function quoted (text: string): string {
  return /^[\w.:-]{1,24}$/.test(text) ? `"${text}"` : `text of ${text.length} characters`
}
