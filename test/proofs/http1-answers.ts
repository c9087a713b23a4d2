/** One response, as it came over a connection of HTTP/1. */
export interface Answer {
  readonly status: number
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
  /** It is here whole. */
  readonly isWhole: boolean
}

export interface Answers {
  /** Those in the order of the requests; interim ones (1xx) are left out. */
  readonly answers: readonly Answer[]
  /** What came behind the last, or what is no response at all; empty as it should be. */
  readonly rest: string
}

const HEAD_END = '\r\n\r\n'
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3}) ?[^\r\n]*$/
const SWITCHING_PROTOCOLS = 101
const BODYLESS = [SWITCHING_PROTOCOLS, 204, 304]

/**
 * Reads the responses in what a server sent, by RFC 9112.
 * @param bytes in latin1
 * @param methods of the requests, in their order
 * @param isClosed nothing more will come
 */
export function readAnswers (bytes: string, methods: readonly string[], isClosed: boolean): Answers {
  const answers: Answer[] = []
  let at = 0
  while (at < bytes.length) {
    const headEnd = bytes.indexOf(HEAD_END, at)
    if (headEnd === -1) return cutOff(answers, bytes.slice(at), isClosed)
    const [statusLine = '', ...lines] = bytes.slice(at, headEnd).split('\r\n')
    const status = Number(STATUS_LINE.exec(statusLine)?.[1] ?? 0)
    if (status === 0) return { answers, rest: bytes.slice(at) }
    at = headEnd + HEAD_END.length
    if (status < 200 && status !== SWITCHING_PROTOCOLS) continue
    const headers = lines.map(line => splitAt(line, line.indexOf(':')))
    const isBodyless = methods[answers.length] === 'HEAD' || BODYLESS.includes(status)
    const found = isBodyless ? { body: '', end: at, isWhole: true } : readBody(bytes, at, headers, isClosed)
    const { body, end, isWhole } = found
    answers.push({ status, headers, body, isWhole })
    // What follows is another protocol.
    if (status === SWITCHING_PROTOCOLS) return { answers, rest: '' }
    at = end
  }
  return { answers, rest: '' }
}

/** A head that is not here whole is no answer, and no more than that where the start of it is one. */
function cutOff (answers: readonly Answer[], rest: string, isClosed: boolean): Answers {
  const isHead = 'HTTP/1.1 '.startsWith(rest.slice(0, 9))
  return { answers, rest: isClosed && !isHead ? rest : '' }
}

interface Body {
  readonly body: string
  readonly end: number
  readonly isWhole: boolean
}

function readBody (bytes: string, start: number, headers: Answer['headers'], isClosed: boolean): Body {
  const header = (name: string): string | undefined => headers.find(([found]) => found.toLowerCase() === name)?.[1]
  if (header('transfer-encoding')?.toLowerCase() === 'chunked') return readChunks(bytes, start)
  const length = header('content-length')
  if (length === undefined) return { body: bytes.slice(start), end: bytes.length, isWhole: isClosed }
  const end = start + Number(length)
  return { body: bytes.slice(start, end), end: Math.min(end, bytes.length), isWhole: bytes.length >= end }
}

function readChunks (bytes: string, start: number): Body {
  let body = ''
  let at = start
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return { body, end: bytes.length, isWhole: false }
    const size = Number.parseInt(bytes.slice(at, lineEnd), 16)
    at = lineEnd + 2
    if (size === 0) return readTrailers(bytes, at, body)
    body += bytes.slice(at, at + size)
    at += size + 2
    if (Number.isNaN(size) || at > bytes.length) return { body, end: bytes.length, isWhole: false }
  }
}

function readTrailers (bytes: string, start: number, body: string): Body {
  let at = start
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return { body, end: bytes.length, isWhole: false }
    if (lineEnd === at) return { body, end: lineEnd + 2, isWhole: true }
    at = lineEnd + 2
  }
}

function splitAt (line: string, index: number): [string, string] {
  return [line.slice(0, index), line.slice(index + 1).trim()]
}
