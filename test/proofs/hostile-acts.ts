import type { Dice } from './dice'
import { drawScript, drawSteps, type Script } from './hostile-script'
import type { HostileVisitor } from './hostile-visitor'
import type { StreamRequest } from './http2-exchange'
import type { Part } from './raw-exchange'

export interface RawAct {
  readonly kind: 'raw'
  readonly parts: readonly Part[]
  /** The methods of its requests where each is owed an answer; else null. */
  readonly methods: readonly string[] | null
}

export interface StreamsAct {
  readonly kind: 'streams'
  readonly requests: readonly StreamRequest[]
  /** The connection is cut after so long; null where it is not. */
  readonly goneAfterMs: number | null
}

/** What one client does on one connection. */
export type Act = RawAct | StreamsAct

export interface Protocols {
  readonly http1: boolean
  readonly http2: boolean
}

type Draw = (dice: Dice, visitor: HostileVisitor) => Act

const OVER_HTTP1: readonly Draw[] = [
  answered, answered, answered, answered, pipelined, aborted, aborted, slowly, malformed, malformed, upgrading, partial
]
const OVER_HTTP2: readonly Draw[] = [streams, streams, streams, streams, frames]

/** Draws what one client does to a server that speaks these protocols. */
export function drawAct (dice: Dice, visitor: HostileVisitor, { http1, http2 }: Protocols): Act {
  return dice.oneOf([...http1 ? OVER_HTTP1 : [], ...http2 ? OVER_HTTP2 : []])(dice, visitor)
}

const MOST_SHOWN = 900

/** As text, for a report. */
export function describeAct (act: Act): string {
  const items: readonly unknown[] = act.kind === 'raw' ? act.parts : act.requests
  const lines = items.map(item => {
    const text = JSON.stringify(item)
    return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`
  })
  if (act.kind === 'streams' && act.goneAfterMs !== null) lines.push(`cut off after ${act.goneAfterMs} ms`)
  return lines.join('\n     ')
}

interface Spelled {
  readonly head: string
  readonly body: string
}

const CLOSE = ['Connection: close']
/** A longer head may be refused before its method is known, and so before it is known whether the answer has a body. */
const LONGEST_HEAD = 15_000

function spell ({ method, path, headers, body }: Script, more: readonly string[] = [], version = '1.1'): Spelled {
  const lines = [
    `${method} ${path} HTTP/${version}`,
    'Host: localhost',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...more
  ]
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  return { head: `${lines.join('\r\n')}\r\n\r\n`, body }
}

/** A request as it should be. */
function answered (dice: Dice, visitor: HostileVisitor): Act {
  const script = drawScript(dice, visitor)
  const connection = dice.oneOf([CLOSE, CLOSE, CLOSE, ['Connection: keep-alive'], []])
  const { head, body } = spell(script, connection, dice.chance(0.05) ? '1.0' : '1.1')
  return { kind: 'raw', parts: [{ send: head + body }], methods: head.length > LONGEST_HEAD ? null : [script.method] }
}

/** Several on one connection, the next sent before the first is answered. */
function pipelined (dice: Dice, visitor: HostileVisitor): Act {
  const scripts = Array.from({ length: dice.oneOf([2, 3, 5]) }, () => drawScript(dice, visitor))
  const spelled = scripts.map((script, index) => spell(script, index === scripts.length - 1 ? CLOSE : []))
  const isTooLong = spelled.some(({ head }) => head.length > LONGEST_HEAD)
  return {
    kind: 'raw',
    parts: [{ send: spelled.map(({ head, body }) => head + body).join('') }],
    methods: isTooLong ? null : scripts.map(({ method }) => method)
  }
}

/** A connection that breaks in the head, in the body, while the handler works or while the answer comes. */
function aborted (dice: Dice, visitor: HostileVisitor): Act {
  const { head, body } = spell(drawScript(dice, visitor))
  const whole: Part = { send: head + body }
  const gone: Part = { then: dice.oneOf(['destroy', 'destroy', 'end'] as const) }
  const someMs: Part = { pauseMs: Math.floor(dice.between(0, 80)) }
  const parts = dice.oneOf<readonly Part[]>([
    [{ send: head.slice(0, dice.share() * head.length) }, gone],
    [{ send: withLine(head, 'Content-Length: 50') + body }, someMs, gone],
    [whole, gone],
    [whole, someMs, gone],
    [whole, { untilAnswerMs: 1000 }, gone],
    [whole, { untilAnswerMs: 1000 }, someMs, gone]
  ])
  return { kind: 'raw', parts, methods: null }
}

/** A request that comes in small pieces. */
function slowly (dice: Dice, visitor: HostileVisitor): Act {
  const { head, body } = spell(drawScript(dice, visitor), CLOSE)
  const text = head + body
  const cuts = [dice.share(), dice.share(), dice.share()].map(share => Math.floor(share * text.length))
  const ends = [...cuts.sort((a, b) => a - b), text.length]
  const pieces = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end)).filter(piece => piece !== '')
  const parts = pieces.flatMap<Part>(send => [{ send }, { pauseMs: dice.oneOf([1, 10, 40]) }])
  return { kind: 'raw', parts, methods: null }
}

/** A head that is left open. */
function partial (dice: Dice, visitor: HostileVisitor): Act {
  const { head } = spell(drawScript(dice, visitor))
  const pauseMs = dice.oneOf([20, 100, 250])
  return { kind: 'raw', parts: [{ send: head.slice(0, -2) }, { pauseMs }, { then: 'destroy' }], methods: null }
}

const GOOD_KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** Frames of WebSocket: a text, a ping, one that claims to be endless, one that is not masked, a close. */
const FRAMES = [
  '\x81\x82\x00\x00\x00\x00hi',
  '\x89\x80\x00\x00\x00\x00',
  '\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff',
  '\x81\x02hi',
  '\x88\x82\x00\x00\x00\x00\x03\xe8'
]

function upgrading (dice: Dice, visitor: HostileVisitor): Act {
  const query = `who=${visitor.mark}&handler=${drawSteps(dice, 3)}&end=${dice.oneOf(['commit', 'json', 'throw'])}`
  const { head } = spell({
    method: dice.oneOf(['GET', 'GET', 'GET', 'POST']),
    path: `${dice.oneOf(['/socket', '/socket', '/socket', '/do', '/nowhere'])}?${query}`,
    headers: [
      ...visitor.drawHeaders(dice).map(value => ['cookie', value] as const),
      ['connection', dice.oneOf(['Upgrade', 'Upgrade', 'upgrade, keep-alive'])],
      ['upgrade', dice.oneOf(['websocket', 'websocket', 'websocket', 'h2c', 'x'])],
      ['sec-websocket-version', dice.oneOf(['13', '13', '13', '8', ''])],
      ['sec-websocket-key', dice.oneOf([GOOD_KEY, GOOD_KEY, GOOD_KEY, 'short', ''])]
    ],
    body: ''
  })
  const frames = Array.from({ length: dice.oneOf([0, 1, 3]) }, (): Part => ({ send: dice.oneOf(FRAMES) }))
  return {
    kind: 'raw',
    parts: [
      { send: head + (dice.chance(0.2) ? dice.oneOf(FRAMES) : '') },
      ...dice.chance(0.7) ? [{ untilAnswerMs: 2000 }] : [],
      ...frames,
      { pauseMs: dice.oneOf([0, 5, 60]) },
      { then: 'destroy' }
    ],
    methods: null
  }
}

const BAD_METHODS = ['FOO', 'get', 'G@T', 'CONNECT', 'TRACE', 'PROPFIND', 'QUERY', '']
const BAD_VERSIONS = ['HTTP/0.9', 'HTTP/2.0', 'HTTP/9.9', 'HTTPS/1.1', '']
const BAD_PATHS = [
  '/%', '/%ff', '/do?%', '/do/%E0%A4%A', '//', '/../../etc', '*', 'http://localhost/do', 'http://[', '/do#x', '?',
  '/do/a-name-that-is-longer-than-the-limit', '/\u00ff', '/do?handler=%00', '/health?a[b]=c&a=1',
  `/${'a'.repeat(20_000)}`
]
const BAD_LINES = [
  'Host: other', 'Content-Length: -1', 'Content-Length: 5, 6', 'Content-Length: 99999999999999999999',
  'no colon here', 'Transfer-Encoding: gzip', ': no name', 'X-Nul: a\u0000b', 'X-Folded: a\r\n b',
  'Expect: 100-continue', 'Cookie: \u0001', 'Expect: something', 'Content-Type: application/json', 'Content-Type: ;;;',
  'X Y: z', 'Connection: close, upgrade', 'Upgrade: h2c', 'Accept-Version: \u0000', 'Content-Encoding: gzip',
  'Transfer-Encoding: chunked\r\nContent-Length: 3',
  `X-Long: ${'a'.repeat(17_000)}`, ...[4000, 8000, 20_000].map(length => `Cookie: session=${'A'.repeat(length)}`),
  Array.from({ length: 1500 }, (_, index) => `x-${index}: y`).join('\r\n')
]
const BAD_CHUNKS = [
  'zz\r\n', '5\r\nab\r\n', 'ffffffffffffffff\r\n', '0\r\nX: \u0001\r\n\r\n', '3;x=y\r\nabc\r\n0\r\n\r\n'
]
const OTHER_PROTOCOLS = [
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'junk'.repeat(40)}`,
  '\x00'.repeat(100)
]

/** What is no request, or one that no server should take. */
function malformed (dice: Dice, visitor: HostileVisitor): Act {
  const { head, body } = spell(drawScript(dice, visitor))
  const send = dice.oneOf<() => string>([
    () => head.replace(/^(\w+) \S+/, (_, method: string) => `${method} ${dice.oneOf(BAD_PATHS)}`),
    () => head.replace(/^(\w+) \S+/, (_, method: string) => `${method} ${dice.oneOf(BAD_PATHS)}`),
    () => withLine(head, dice.oneOf(BAD_LINES)) + body,
    () => withLine(head, dice.oneOf(BAD_LINES)) + body,
    () => withLine(head, 'Transfer-Encoding: chunked') + dice.oneOf(BAD_CHUNKS),
    () => head.replace(/^\w+/, dice.oneOf(BAD_METHODS)),
    () => head.replace('HTTP/1.1', dice.oneOf(BAD_VERSIONS)),
    () => head.replace('Host: localhost\r\n', ''),
    () => head.replaceAll('\r\n', '\n'),
    () => `\r\n\r\n\r\n${head}`,
    () => dice.oneOf(OTHER_PROTOCOLS)
  ])()
  return { kind: 'raw', parts: [{ send }, { untilAnswerMs: dice.oneOf([30, 200]) }], methods: null }
}

function withLine (head: string, line: string): string {
  return head.replace('\r\n\r\n', () => `\r\n${line}\r\n\r\n`)
}

function streams (dice: Dice, visitor: HostileVisitor): Act {
  const requests = Array.from({ length: dice.oneOf([1, 2, 4]) }, (): StreamRequest => {
    const ends = dice.chance(0.85)
    const isReset = !ends || dice.chance(0.25)
    return { ...drawScript(dice, visitor), ends, resetAfterMs: isReset ? dice.oneOf([0, 1, 5, 30, 90]) : null }
  })
  return { kind: 'streams', requests, goneAfterMs: dice.chance(0.2) ? dice.oneOf([0, 5, 20, 80]) : null }
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const NO_SETTINGS = '\x00\x00\x00\x04\x00\x00\x00\x00\x00'

/** Frames of HTTP/2 that follow no rule. */
function frames (dice: Dice): Act {
  const byte = (): number => Math.floor(dice.between(0, 256))
  const frame = (): string => {
    const length = dice.oneOf([0, 4, 8, 20])
    const header = [0, 0, length, Math.floor(dice.between(0, 12)), byte(), 0, 0, 0, dice.oneOf([0, 1, 2, 3])]
    return Buffer.from([...header, ...Array.from({ length }, byte)]).toString('latin1')
  }
  const send = [PREFACE, NO_SETTINGS, ...Array.from({ length: 5 }, frame)].join('')
  return { kind: 'raw', parts: [{ send }, { untilAnswerMs: 30 }, { pauseMs: 10 }], methods: null }
}
