import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { compilerErrors } from '../helpers/compiler'
import { freshFolder, runIn } from '../helpers/installed'
import { OURS, PEER } from './packages'

/** An application's TypeScript, written for the peer, compiles after its module's name alone was replaced. */

const ROOT = resolve(__dirname, '../..')
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
// What a user's declarations are looked up among; all else is found from there.
const NEIGHBOURS = ['fastify', '@fastify', 'fastify-plugin', '@types']

const OPTIONS = { strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', module: 'nodenext', types: ['node'] }
const ALL = ['peer-user', 'peer-user-required']
/** With the peer, too, to show that the files are such as its users write. */
const PROJECTS = [
  { packageName: PEER, type: 'commonjs', files: ALL },
  { packageName: OURS, type: 'commonjs', files: ALL },
  { packageName: OURS, type: 'module', files: ['peer-user'] }
]

t.setTimeout(600_000)

t.test('code that compiles with the peer compiles after the package name was replaced', async t => {
  const folder = freshFolder(t)
  installLinks(folder)
  installOurs(folder)
  for (const { packageName, type, files } of PROJECTS) {
    const name = `${packageName}, as ${type}`
    const project = join(folder, name.replace(/\W+/g, '-'))
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type }))
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS }))
    for (const file of files) writeFileSync(join(project, `${file}.ts`), sourceFor(file, packageName))
    t.strictSame(compilerErrors(project), [], name)
  }
})

/** The name is replaced where a module is named: that a plugin depends on the peer by name stays as it was written. */
function sourceFor (file: string, packageName: string): string {
  const source = readFileSync(join(__dirname, 'types', `${file}.ts.txt`), 'utf8')
  return source.replace(/(from |import\(|require\(|module )'@fastify\/secure-session'/g, `$1'${packageName}'`)
}

function installLinks (folder: string): void {
  mkdirSync(join(folder, 'node_modules'))
  for (const name of NEIGHBOURS) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
}

/** The declarations of the sources as they are now, where the manifest says that a user finds them. */
function installOurs (folder: string): void {
  const home = join(folder, 'node_modules', OURS)
  mkdirSync(home)
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'))
  runIn(ROOT, process.execPath, TSC, '-p', join(ROOT, 'tsconfig.json'), '--emitDeclarationOnly', '--outDir', join(home, 'dist'))
}
