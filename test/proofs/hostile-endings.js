'use strict'

/** How a handler may end: with a good reply, a bad one, or by hand. */

const { createReadStream } = require('node:fs')
const { Readable, PassThrough } = require('node:stream')
const { setTimeout: pause } = require('node:timers/promises')
const raise = require('./raise')

async function * chunks (count, failsAt) {
  for (let index = 0; index < count; index++) {
    if (index === failsAt) throw new Error('the stream fails')
    yield `chunk ${index}\n`
    await pause(3)
  }
}

function webStream (failsAt) {
  return new ReadableStream({
    async pull (controller) {
      await pause(2)
      if (failsAt-- === 0) return controller.error(new Error('the web stream fails'))
      controller.enqueue(Buffer.from('web chunk\n'))
      if (failsAt < -3) controller.close()
    }
  })
}

/** A stream that fails early: an app that may reply twice listens to it itself, as Fastify never will. */
function failingEarly (stream, { query, routeOptions: { url, handlerTimeout }, server }) {
  const mayReplyTwice = JSON.stringify(query).includes('send') || handlerTimeout > 0 || url === '/slow'
  if (mayReplyTwice || server.initialConfig.handlerTimeout > 0) stream.on('error', () => {})
  return stream
}

/**
 * An HTTP/1 request whose line says HTTP/2.0. With no plugin at all, a stream with a trailer as the reply to it ends a
 * process of Fastify 5.12.
 */
function claimsHttp2 ({ request: { raw } }) {
  return raw.httpVersionMajor === 2 && raw.stream === undefined
}

function destroyedSoon (error) {
  const stream = new PassThrough()
  setImmediate(() => { stream.destroy(error) })
  return stream
}

async function usedResponse () {
  const response = new Response('used')
  await response.text()
  return response
}

/** Each takes the reply, and a text of the request; what it returns is sent. */
const ENDINGS = {
  json: (reply, text, seen) => ({ seen }),
  text: (reply, text) => text,
  buffer: () => Buffer.from('bytes'),
  typed: () => new Uint8Array([1, 2, 3]),
  null: () => null,
  empty: reply => reply.code(204).send(),
  large: () => 'x'.repeat(300_000),
  notModified: reply => reply.code(304).send(),
  code: (reply, text) => reply.code(Number(text) || 418).send({ code: text }),
  rawCode: (reply, text) => { reply.raw.statusCode = Number(text) || 0; return 'a raw code' },
  header: (reply, text) => { reply.header('x-text', text); return { ok: true } },
  headerName: (reply, text) => { reply.header(text, 'value'); return { ok: true } },
  setCookie: (reply, text) => { reply.header('set-cookie', ['app=1; Path=/', `other=${text}`]); return { ok: true } },
  cookie: (reply, text) => { reply.setCookie('app', text, { path: '/' }); return { ok: true } },
  redirect: (reply, text) => reply.redirect(text),
  redirectCode: (reply, text) => reply.redirect('/elsewhere', Number(text) || 303),
  vary: (reply, text) => { reply.header('vary', text).header('cache-control', text); return { ok: true } },
  wrongType: reply => { reply.type('text/plain'); return { a: 'an object' } },
  number: reply => { reply.type('text/plain'); return 17 },
  serializer: (reply, text) => { reply.serializer(() => { throw new Error(`not serialized: ${text}`) }); return {} },
  serializerNonsense: reply => { reply.serializer(() => 17); return {} },
  throw: (reply, text) => { throw new Error(text) },
  throwStatus: (reply, text) => { throw Object.assign(new Error('a status'), { statusCode: Number(text) || 403 }) },
  throwHeaders: (reply, text) => {
    throw Object.assign(new Error('with headers'), { statusCode: 403, headers: { 'x-error': text } })
  },
  throwText: (reply, text) => { throw text },
  throwUndefined: () => { raise(undefined) },
  sendError: (reply, text) => { reply.send(new Error(text)); return reply },
  notFound: reply => { reply.callNotFound(); return reply },
  twice: (reply, text) => { reply.send({ first: true }); reply.send({ second: text }); return reply },
  sendThenThrow: reply => { reply.send('sent'); throw new Error('after the reply was sent') },
  stream: () => Readable.from(chunks(3, -1)),
  emptyStream: () => Readable.from(chunks(0, -1)),
  streamFails: () => Readable.from(chunks(3, 0)),
  streamFailsLater: () => Readable.from(chunks(4, 2)),
  missingFile: reply => failingEarly(createReadStream('/nowhere/at/all'), reply.request),
  destroyedSoon: reply => failingEarly(destroyedSoon(new Error('destroyed soon')), reply.request),
  closedSoon: () => destroyedSoon(undefined),
  destroyed: () => new PassThrough().destroy(),
  endless: () => Readable.from(chunks(60, -1)),
  webStream: () => webStream(-1),
  webStreamFails: () => webStream(0),
  webStreamFailsLater: () => webStream(2),
  webStreamLocked: () => { const stream = webStream(-1); stream.getReader(); return stream },
  response: (reply, text) => new Response(text, { status: 201, headers: { 'x-response': 'yes', vary: 'Accept' } }),
  responseNull: () => new Response(null, { status: 204 }),
  responseStream: () => new Response(webStream(1)),
  responseUsed: usedResponse,
  responseCookie: () => new Response('cookies', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] }),
  responseRedirect: () => Response.redirect('http://localhost/elsewhere'),
  trailer: reply => {
    if (!claimsHttp2(reply)) reply.trailer('x-end', async () => { await pause(1); return 'the end' })
    return 'with a trailer'
  },
  trailerFails: reply => {
    if (!claimsHttp2(reply)) reply.trailer('x-end', async () => { throw new Error('no trailer') })
    return Readable.from(chunks(2, -1))
  },
  earlyHints: reply => {
    reply.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' })
    return 'after hints'
  },
  afterAWhile: async (reply, text) => { await pause(80); return text },
  sendLater: reply => { setTimeout(() => { reply.send('later') }, 10); return reply }
}

/** Endings by hand: from `hijack` on Fastify catches nothing, so that the app does. */
const BY_HAND = {
  commitThenEnd (reply, text) {
    reply.commitSession()
    reply.hijack()
    byHand(reply, raw => { raw.end(text) })
  },
  endWithoutCommit (reply, text) {
    reply.hijack()
    byHand(reply, raw => { raw.writeHead(200, { 'content-type': 'text/plain' }); raw.end(text) })
  },
  commitAfterHijack (reply, text) {
    reply.hijack()
    byHand(reply, raw => { reply.commitSession(); raw.writeHead(200); raw.end(text) })
  },
  commitAfterHead (reply, text) {
    reply.hijack()
    byHand(reply, raw => { raw.writeHead(200); raw.write('head'); reply.commitSession(); raw.end(text) })
  },
  events (reply, text) {
    reply.commitSession()
    reply.hijack()
    byHand(reply, raw => {
      raw.writeHead(200, { 'content-type': 'text/event-stream' })
      let left = 6
      const timer = setInterval(() => {
        if (left-- > 0 && !raw.destroyed) return raw.write(`data: ${text.replace(/[\r\n]/g, ' ')}\n\n`)
        clearInterval(timer)
        raw.end()
      }, 5)
      raw.on('close', () => { clearInterval(timer) })
    })
  },
  destroy (reply) {
    reply.hijack()
    reply.raw.destroy()
  },
  destroySocket (reply) {
    reply.commitSession()
    reply.request.raw.socket.destroy()
    return 'lost'
  }
}

function byHand (reply, work) {
  const { raw } = reply
  raw.on('error', () => {})
  try {
    work(raw)
  } catch (error) {
    raw.destroy()
  }
}

/** Ends as it is told; a reply that goes out by hand is not waited for. */
async function end (name, reply, text, seen) {
  if (!Object.hasOwn(BY_HAND, name)) return await ENDINGS[name](reply, text, seen)
  return BY_HAND[name](reply, text) ?? reply
}

module.exports = { end, ENDING_NAMES: [...Object.keys(ENDINGS), ...Object.keys(BY_HAND)] }
