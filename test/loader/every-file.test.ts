import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const LIB = resolve(__dirname, '../../lib')
/** It runs the command; cli/process.test.ts loads it, in other processes. */
const COMMAND = join('cli', 'main.ts')

t.test('every file of the library is loaded, so that untested files appear in the coverage', async t => {
  const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts') && file !== COMMAND)
  for (const file of files) t.doesNotThrow(() => { require(join(LIB, file)) }, file)
})
