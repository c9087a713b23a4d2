import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { installed, runIn } from '../helpers/installed'

const FIXTURE = join(__dirname, 'types-fixture')
const TSC = resolve(__dirname, '../../node_modules/typescript/bin/tsc')

const OPTIONS = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false, target: 'es2022', types: ['node'] }
const RESOLUTIONS: Record<string, object> = {
  'nodenext, from CommonJS': { module: 'nodenext' },
  'nodenext, from an ES module': { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' }
}

t.setTimeout(600_000)

t.test('the packed declarations mean what they say: what should not compile does not', async t => {
  const folder = installed(t, 'fastify@5', '@types/node@20')
  for (const [name, options] of Object.entries(RESOLUTIONS)) {
    const isModule = name !== 'nodenext, from CommonJS'
    for (const file of readdirSync(FIXTURE)) {
      const project = join(folder, `${name.replace(/\W/g, '')}-${file.replace('.ts', '')}`)
      mkdirSync(project)
      copyFileSync(join(FIXTURE, file), join(project, file))
      if (isModule) asModule(join(project, file))
      writeFileSync(join(project, 'package.json'), JSON.stringify({ type: isModule ? 'module' : 'commonjs' }))
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...OPTIONS, ...options } }))
      t.equal(compile(project), '', `${file} under ${name}`)
    }
  }
})

t.test('the TypeScript of the README compiles, and gives the values their types', async t => {
  const folder = installed(t, 'fastify@5', '@types/node@20')
  const readme = readFileSync(resolve(__dirname, '../../README.md'), 'utf8')
  const [, block] = /```ts\n([^]*?)```/.exec(readme) as unknown as [string, string]
  writeFileSync(join(folder, 'readme.ts'), `import type { Session } from 'fastify-sealed-session'
${block}
export function use (session: Session): string[] {
  const id: number | undefined = session.get('user')?.id
  // @ts-expect-error an id is a number
  session.user = { id: 'ada' }
  return [...(session.cart ?? []), String(id)]
}`)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...OPTIONS, module: 'nodenext' }, files: ['readme.ts'] }))
  t.equal(compile(folder), '')
})

/** `import x = require()` is of CommonJS alone. */
function asModule (file: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(/import (\w+) = require\(('[^']+')\)/, 'import $1 from $2'))
}

function compile (project: string): string {
  try {
    return runIn(project, process.execPath, TSC, '-p', project)
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}
