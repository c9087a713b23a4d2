import type { Dice } from './dice'
import { ERROR_HANDLERS } from './hostile-settings'
import type { HostileVisitor } from './hostile-visitor'

/** A well-formed request, whose query says what the app is to do. */
export interface Script {
  readonly method: string
  readonly path: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
}

type Names = readonly string[]

const { LOOK_NAMES } = require('./hostile-looks.js') as { LOOK_NAMES: Names }
const { STEP_NAMES } = require('./hostile-steps.js') as { STEP_NAMES: Names }
const { ENDING_NAMES } = require('./hostile-endings.js') as { ENDING_NAMES: Names }

const COMMON_STEPS = [
  'login', 'login', 'get', 'write', 'nested', 'data', 'info', 'later', 'later', 'pause', 'regenerate', 'delete',
  'revokeOthers', 'touch'
]
/** In hooks that do not wait: onError and onSend. */
const STEPS_AT_ONCE = [...LOOK_NAMES, 'login', 'write', 'nested', 'delete', 'reserved', 'badOptions']
const HOOKS = [
  'onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onResponse', 'onTimeout',
  'onRequestAbort'
]
const ENDINGS = [...ENDING_NAMES, 'json', 'json', 'header', 'redirect', 'redirect']
const PATHS = [
  '/do', '/do', '/do', '/do', '/do', '/do/a-name', '/free', '/quiet', '/slow', '/schema', '/guarded', '/fresh',
  '/callback', '/scope/do', '/nowhere'
]
/** Texts that are wrong in a header, in a URL, as a status or as a cookie. */
const TEXTS = [
  'plain', '/elsewhere', '/welcome/\u20ac', 'line\r\nbreak: yes', '\u0000', '\u00e9', '\u{1f600}', '', ' ', 'a; b',
  '0', '99', '600', '1000', '-1', 'NaN', '204', '304', '500', 'public, max-age=60', '*', 'Accept', 'x'.repeat(3000)
]
const SIZES = ['100', '2800', '3000', '3900', '6000', '12000', '50000']
const POISONS = [
  'serialize', 'serialize-undefined', 'serialize-nonsense', 'deserialize', 'deserialize-undefined',
  'deserialize-nonsense', 'subject', 'subject-undefined', 'subject-object', 'subject-empty', 'when', 'when-rejects'
]
const METHODS = ['GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
const WITH_BODY = ['POST', 'PUT', 'PATCH']
const BODIES = [
  '', '', '{}', '{"a":1}', '{"a":"no number"}', '{', '{"__proto__":{}}', `{"a":"${'x'.repeat(200)}"}`, 'a text'
]
const TYPES = ['application/json', 'application/json', 'text/plain', 'application/x-unknown', 'a/b; c']

export function drawScript (dice: Dice, visitor: HostileVisitor): Script {
  const method = dice.oneOf(METHODS)
  const path = dice.oneOf(method === 'POST' ? [...PATHS, '/body', '/body'] : PATHS)
  const body = WITH_BODY.includes(method) ? dice.oneOf(BODIES) : ''
  return { method, path: `${path}?${drawQuery(dice, visitor)}`, headers: drawHeaders(dice, visitor, body), body }
}

function drawQuery (dice: Dice, visitor: HostileVisitor): string {
  const query: Array<[string, string]> = [
    ['who', visitor.mark],
    ['handler', drawSteps(dice, 5)],
    ['end', dice.oneOf(ENDINGS)],
    ['text', dice.oneOf(TEXTS)],
    ['size', dice.oneOf(SIZES)],
    ['poison', dice.oneOf(POISONS)]
  ]
  for (const hook of HOOKS) if (dice.chance(0.12)) query.push([hook, drawSteps(dice, 2)])
  for (const hook of ['onSend', 'onError']) if (dice.chance(0.12)) query.push([hook, dice.oneOf(STEPS_AT_ONCE)])
  if (dice.chance(0.5)) query.push(['look', dice.oneOf(LOOK_NAMES)])
  if (dice.chance(0.3)) query.push(['key', dice.oneOf(['user', '', '__proto__', 'get', 'u":"a'])])
  if (dice.chance(0.1)) query.push(['key', 'b'], ['key', 'c'])
  return query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
}

/** Steps on the sessions of a request, as `hostile-steps.js` reads them. */
export function drawSteps (dice: Dice, most: number): string {
  const count = Math.floor(dice.between(0, most + 1))
  const name = (): string => dice.oneOf(dice.chance(0.6) ? COMMON_STEPS : STEP_NAMES)
  const step = (): string => name() + dice.oneOf(['', '', '', ':1', ':2'])
  return Array.from({ length: count }, step).join('.')
}

function drawHeaders (dice: Dice, visitor: HostileVisitor, body: string): Array<[string, string]> {
  const headers: Array<[string, string]> = visitor.drawHeaders(dice).map(value => ['cookie', value])
  if (dice.chance(0.4)) headers.push(['x-error', dice.oneOf(ERROR_HANDLERS)])
  if (dice.chance(0.2)) headers.push(['x-forwarded-proto', dice.oneOf(['https', 'http', 'HTTPS, http', ''])])
  if (dice.chance(0.1)) headers.push(['x-forwarded-for', dice.oneOf(['1.2.3.4', 'junk', ',,'])])
  if (dice.chance(0.1)) headers.push(['accept-version', dice.oneOf(['1.x', '*', ''])])
  if (dice.chance(0.1)) headers.push(['if-none-match', '*'])
  if (body !== '') headers.push(['content-type', dice.oneOf(TYPES)])
  return headers
}
