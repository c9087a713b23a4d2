import { compileFunction } from 'node:vm'
import t from 'tap'
import secureSession from '../../index'
import { bareApp, KEY } from '../helpers/app'
import { PAGE, peer } from './migration-page'

/** The page lists options that the old library boots with and ours does not: each is tried on both. */

const [, list] = /What booted there and is refused here[^]*?\n\n((?:- .*\n)+)/.exec(PAGE) as unknown as [string, string]
const listed = Array.from(list.matchAll(/`([^`]+)`/g), ([, options]) => options as string)

async function bootError (t: Parameters<typeof bareApp>[0], plugin: any, options: object): Promise<unknown> {
  const app = bareApp(t)
  try {
    await app.register(plugin, options)
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? error
  }
}

t.test('docs/migration.md: each listed option boots with the old library and is refused here, by its code', async t => {
  t.equal(listed.length, 20)
  const scope = { KEY, SECRET: 'a passphrase of more than thirty-two bytes' }
  for (const text of listed) {
    const options = (): object => compileFunction(`return { key: KEY, ${text} }`, Object.keys(scope))(...Object.values(scope))
    t.equal(await bootError(t, peer, options()), null, `there: ${text}`)
    t.equal(await bootError(t, secureSession, options()), 'FST_SESSION_INVALID_OPTION', `here: ${text}`)
  }
})
