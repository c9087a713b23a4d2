import t from 'tap'
import { DEBUG, KEY } from '../helpers/app'
import { fakeClock } from '../helpers/clock'
import { appOfSizes, BYTES, filled } from './sized'

type Cookie = readonly [name: string, value: string]
type Cookies = Cookie[]

function header (cookies: Cookies): string {
  return cookies.map(([name, value]) => `${name}=${value}`).join('; ')
}

/** Every order of these. */
function orders<T> (all: readonly T[]): T[][] {
  if (all.length === 0) return [[]]
  return all.flatMap((one, index) => orders(all.toSpliced(index, 1)).map(rest => [one, ...rest]))
}

async function sizeWith (app: Awaited<ReturnType<typeof appOfSizes>>, cookies: Cookies): Promise<number | null> {
  return (await app.inject({ url: '/size', headers: { cookie: header(cookies) } })).json().size
}

t.test('random text under the names of parts, in any order, does not hide a session', async t => {
  const app = await appOfSizes(t)
  const own = [...(await filled(app, BYTES.two)).cookies]
  const junk: Cookies = [['session', 'junk'], ['session.1', 'x'.repeat(own[1]?.[1].length as number)], ['session.1', '']]
  for (const cookies of orders<Cookies[number]>([...own, ...junk])) t.equal(await sizeWith(app, cookies), BYTES.two)
})

t.test('of two complete sessions whose parts are mixed, the newer counts', async t => {
  const clock = fakeClock(t)
  const app = await appOfSizes(t)
  const older = [...(await filled(app, BYTES.two)).cookies]
  clock.advance(1000)
  const newer = [...(await filled(app, BYTES.two + 1)).cookies]
  for (const cookies of orders([...older, ...newer])) t.equal(await sizeWith(app, cookies), BYTES.two + 1)
  for (const small of [...(await filled(app, BYTES.one)).cookies]) {
    clock.advance(1000)
    t.equal(await sizeWith(app, [small, ...newer]), BYTES.one, 'a session of one cookie as well')
  }
})

t.test('a session of three parts is found among the parts of another', async t => {
  const clock = fakeClock(t)
  const app = await appOfSizes(t)
  const own = [...(await filled(app, BYTES.three)).cookies]
  clock.advance(1000)
  const third = ['session.2', (own[2]?.[1] as string).replaceAll(/./g, 'x')] as const
  const second = ['session.1', (own[1]?.[1] as string).replaceAll(/./g, 'x')] as const
  t.equal(await sizeWith(app, [third, second, ...own]), BYTES.three)
  t.equal(await sizeWith(app, [...own, second, third]), BYTES.three)
})

t.test('only a limited number of parts is tried, for any number of planted parts', async t => {
  const app = await appOfSizes(t, { maxCookies: 3 })
  const own = new Map((await filled(app, BYTES.three)).cookies)
  const genuine = own.get('session') as string
  const hostile: Cookies = [0, 1, 2, 3, 4, 5].flatMap(number => [
    ['session', `${genuine.slice(0, -1)}${number}`],
    ['session.1', String(number).repeat(genuine.length)],
    ['session.2', String(number).repeat(genuine.length - 1)]
  ] as const)
  t.equal(await sizeWith(app, hostile), null)
  const tried = app.lines.filter(({ level, reason }) => level === DEBUG && reason === 'forged').length
  t.equal(tried, 16, 'not all of the 64 that four of each name make')
})

t.test('planted parts that fit no token are not joined', async t => {
  const app = await appOfSizes(t, { key: KEY, maxCookies: 3 })
  const [first, second] = [...(await filled(app, BYTES.three)).cookies] as unknown as [Cookie, Cookie]
  const { length } = first[1]
  const of = (name: string, ...lengths: number[]): Cookies => lengths.map(length => [name, 'x'.repeat(length)] as const)
  const hostile: Cookies[] = [
    [first, ...of('session.1', length - 1, length + 1), ...of('session.2', length)],
    [first, second, ...of('session.2', length + 1, length - 3, 0)],
    [['session', first[1].slice(0, 1023)], ...of('session.1', 1023), ...of('session.2', 1023)],
    [['session', first[1].padEnd(4084, 'x')], ...of('session.1', 4084), ...of('session.2', 4084)]
  ]
  for (const cookies of hostile) {
    app.lines.length = 0
    t.equal(await sizeWith(app, cookies), null)
    t.strictSame(app.lines.filter(({ reason }) => reason !== undefined).map(({ reason }) => reason), ['malformed'], 'one reason, not one for each')
  }
})

t.test('the last of all possible combinations of parts is found as well', async t => {
  const app = await appOfSizes(t)
  const [first, second, third] = [...(await filled(app, BYTES.three)).cookies] as unknown as [Cookie, Cookie, Cookie]
  const junk = ['x', 'y', 'z'].flatMap(text => [
    ['session.1', text.repeat(second[1].length)], ['session.2', text.repeat(third[1].length)]
  ] as const)
  t.equal(await sizeWith(app, [first, ...junk, second, third]), BYTES.three)
})
