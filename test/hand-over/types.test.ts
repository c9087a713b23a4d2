import type { FastifyReply } from 'fastify'
import t from 'tap'
import type secureSession from '../../index'
import { appWith, KEY } from '../helpers/app'
import { RECEIVER, SENDER } from './sites'

// Most of this is for the compiler.

t.test('the options and the calls of hand-overs have types', async t => {
  const receive: secureSession.HandOverReceiverOptions = { at: RECEIVER, from: [SENDER], then: undefined, accept: ({ user }, request) => request.session.has('user') ? null : { user } }
  const send: secureSession.HandOverSenderOptions = { at: SENDER, to: [RECEIVER], ttl: '10s', query: true }
  const handOver: secureSession.HandOverOptions = { send, receive, key: undefined }
  const typed: secureSession.HandOverReceiverOptions = { ...receive, accept: async ({ user }: { user: { id: string } }) => ({ user: user.id }) }
  t.ok(typed)
  const app = await appWith(t, { key: KEY, handOver })
  app.get('/login', (request, reply): FastifyReply => reply.beginHandOver({ then: (request.query as { then?: unknown }).then }))
  app.get('/hand-over', async (_request, reply) => await reply.handOver({ keep: ['user'], to: RECEIVER }))
  app.get('/url', async ({ session }) => {
    const url: string | null = await session.handOver({ keep: ['user'] })
    return { url }
  })
  // @ts-expect-error: `keep` must be given
  app.get('/none', (_request, reply) => reply.handOver({}))
  // @ts-expect-error: options are known
  const wrong: secureSession.HandOverSenderOptions = { at: SENDER, to: [RECEIVER], from: [] }
  t.ok(wrong)
  t.strictSame((await app.inject('/url')).json(), { url: null })
  t.equal((await app.inject('/login')).statusCode, 303)
  t.equal((await app.inject('/hand-over')).statusCode, 403)
})
