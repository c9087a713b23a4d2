import t from 'tap'
import { errorLine } from '../../lib/cli/text'
import { Operator, RING } from './operator'

t.test('an error is one line that begins with the name of the program once', async t => {
  t.equal(errorLine(new Error('two\r\n  lines')), 'fastify-sealed-session: two lines\n')
  t.equal(errorLine(new Error('fastify-sealed-session: no keyring')), 'fastify-sealed-session: no keyring\n')
  t.equal(errorLine(Object.assign(new Error(''), { code: 'ECONNREFUSED' })), 'fastify-sealed-session: ECONNREFUSED\n')
})

t.test('an unexpected error is one line, too', async t => {
  const operator = new Operator(t)
  await operator.do('init', ...RING)
  operator.world = { now: () => { throw new TypeError('no clock\n    at somewhere') } }
  t.match(await operator.run('list', ...RING), { status: 1, out: '', err: 'fastify-sealed-session: no clock at somewhere\n' })
})
