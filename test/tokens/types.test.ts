import t from 'tap'
import secureSession from '../../index'
import { appWith, KEY } from '../helpers/app'

// Most of this is for the compiler.

interface Reset { user: number, changedAt: number }

t.test('tokens have the type that a call names', async t => {
  const tokens: Record<string, secureSession.TokenOptions> = { reset: { ttl: '1h', audience: undefined } }
  const options: secureSession.OpenTokenOptions = { audience: undefined, log: undefined, sessionName: undefined }
  const { secureSession: { sealToken, openToken } } = await appWith(t, { key: KEY, tokens })
  const data: Reset = { user: 17, changedAt: 1 }
  const token: string = sealToken('reset', data)
  const reset = await openToken<Reset>('reset', token, options)
  const user: number | undefined = reset?.user
  // @ts-expect-error: it is not in the type
  t.equal(reset?.mail, undefined)
  const any = await openToken('reset', token as unknown)
  t.strictSame([user, any?.['changedAt']], [17, 1])
  // @ts-expect-error: null is no data
  t.throws(() => sealToken('reset', null))
  // @ts-expect-error: options are known
  t.throws(() => sealToken('reset', data, { expiresIn: 1 }))
})
