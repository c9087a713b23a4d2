import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { connect as connectPlain, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { Where } from './raw-exchange'

/** A request on a stream of its own, and what becomes of the stream. */
export interface StreamRequest {
  readonly method: string
  readonly path: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
  /** The body ends; false for one that is left open. */
  readonly ends: boolean
  /** Reset after so long; null for one that is waited for. */
  readonly resetAfterMs: number | null
}

export interface StreamAnswer {
  /** 0 where there was none. */
  readonly status: number
  readonly setCookies: readonly string[]
  readonly text: string
  readonly isLate: boolean
}

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_NO_ERROR } = constants
const RESETS = [NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_NO_ERROR]
/** A connection is closed by both sides, or by force after so long. */
const CLOSE_MS = 200
const NO_ANSWER: StreamAnswer = { status: 0, setCookies: [], text: '', isLate: false }

/**
 * Sends these requests at once over one connection of HTTP/2.
 * @param goneAfterMs the connection is cut after so long; null where it is not
 * @param ms for how long an answer is waited for
 */
export async function exchangeStreams (
  where: Where, requests: readonly StreamRequest[], goneAfterMs: number | null, ms: number
): Promise<StreamAnswer[]> {
  const socket = open(where)
  const session = connect(`${where.isTls ? 'https' : 'http'}://localhost`, { createConnection: () => socket })
  session.on('error', () => {})
  try {
    const answers = Promise.all(requests.map(async (request, index) => await ask(session, request, index, ms)))
    if (goneAfterMs !== null) {
      await pause(goneAfterMs)
      socket.destroy()
    }
    return await answers
  } finally {
    // Node.js 20 corrupts its memory where destroy() of a session follows a stream's reset.
    session.close()
    setTimeout(() => { socket.destroy() }, CLOSE_MS)
  }
}

function open ({ port, isTls }: Where): Socket {
  const host = '127.0.0.1'
  const socket = isTls
    ? connectTls({ port, host, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    : connectPlain({ port, host })
  return socket.on('error', () => {})
}

async function ask (
  session: ClientHttp2Session, request: StreamRequest, index: number, ms: number
): Promise<StreamAnswer> {
  if (session.destroyed || session.closed) return NO_ANSWER
  const { method, path, body, ends, resetAfterMs } = request
  let stream: ClientHttp2Stream
  try {
    const head = { ':method': method, ':path': path, ...fieldsOf(request) }
    stream = session.request(head, { endStream: body === '' && ends })
  } catch {
    // What Node.js would not send.
    return NO_ANSWER
  }
  return await answerOf(stream, () => {
    if (body !== '' || !ends) stream.write(body)
    if (body !== '' && ends) stream.end()
    if (resetAfterMs !== null) setTimeout(() => { stream.close(RESETS[index % RESETS.length]) }, resetAfterMs)
  }, ms)
}

/** Cookie headers go as one. */
function fieldsOf ({ headers }: StreamRequest): Record<string, string> {
  const cookies = headers.filter(([name]) => name === 'cookie').map(([, value]) => value)
  const fields = Object.fromEntries(headers)
  return cookies.length === 0 ? fields : { ...fields, cookie: cookies.join('; ') }
}

async function answerOf (stream: ClientHttp2Stream, send: () => void, ms: number): Promise<StreamAnswer> {
  return await new Promise(resolve => {
    let status = 0
    let setCookies: readonly string[] = []
    let text = ''
    const timer = setTimeout(() => {
      resolve({ status, setCookies, text, isLate: true })
      stream.close()
    }, ms)
    stream.on('response', headers => {
      status = Number(headers[':status'])
      setCookies = headers['set-cookie'] ?? []
      text += JSON.stringify(headers)
    })
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => { text += chunk })
    stream.on('error', () => {})
    // A server may leave the request's body unread, and the stream half open.
    for (const event of ['end', 'close']) {
      stream.on(event, () => {
        clearTimeout(timer)
        resolve({ status, setCookies, text, isLate: false })
      })
    }
    send()
  })
}
