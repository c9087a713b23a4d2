import { deserialize, serialize } from 'node:v8'
import t from 'tap'
import secureSession from '../../index'
import { addRoutes, appWith, bareApp, KEY, type TestApp } from '../helpers/app'
import { Browser } from '../helpers/browser'
import { runSnippet } from '../helpers/snippet'
import { pageOf } from './page'

const { block } = pageOf('recipes.md')

const env = { SESSION_KEY: KEY.toString('base64') }

t.test('a serializer that is not to write yet opens what it wrote elsewhere, and JSON writes', async t => {
  const serializer = { serialize: (data: object) => `v1:${JSON.stringify(data)}`, deserialize: (bytes: Buffer) => JSON.parse(bytes.toString().slice(3)) }
  const reading: TestApp = bareApp(t)
  runSnippet(block(t, 'js', 'writes: false'), { app: reading, secureSession, serializer, process: { env } })
  const writing = await appWith(t, { key: KEY, serializer })
  const json = await appWith(t)
  await reading.after()
  for (const app of [reading, writing, json]) addRoutes(app)
  const browser = new Browser(writing)
  await browser.get('/set/user/ada')
  const moved = browser.copy(reading)
  await moved.get('/set/language/en')
  for (const app of [reading, writing, json]) t.strictSame(await moved.copy(app).json('/get'), { user: 'ada', language: 'en' })
})

t.test('node:v8 writes one array in two ways', async t => {
  const pushed: string[] = []
  pushed.push('book')
  const written = serialize(pushed)
  t.notOk(serialize(deserialize(written)).equals(written))
})
