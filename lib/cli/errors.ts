import { oneLine } from './text'

export const PROGRAM = 'fastify-sealed-session'
const PREFIX = `${PROGRAM}: `

/** The command line is wrong: exit status 2. The message is one line without secrets. */
export class WrongUse extends Error {}

/** The command failed: exit status 1. The message is one line without secrets. */
export class Failure extends Error {}

/** One line for stderr. */
export function errorLine (error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  // If all addresses of a host failed, Node gives a code and an empty message.
  const text = message === '' ? String(code) : message
  return `${PREFIX}${oneLine(text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text)}\n`
}

/**
 * Typed text for a message. Text in the wrong place may be a key, a cookie or the password of a URL: only short plain
 * words are quoted.
 */
export function quoted (text: string): string {
  return /^[\w.:-]{1,24}$/.test(text) ? `"${text}"` : `text of ${text.length} characters`
}
