// The reference of the API, from the doc comments of the types, as Markdown.

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, Converter, ReflectionKind } from 'typedoc'
import { ROOT } from './pages.mjs'
import { slugOf } from './slug.js'

const SOURCE = fileURLToPath(new URL('built/source', import.meta.url))

/** The pages of what is exported. Each other file of types/ has a page, too. */
const FILES = {
  plugin: 'plugin.ts',
  fastify: 'fastify.ts',
  sealer: 'lib/sealer.ts',
  'fresh-tokens': 'lib/fresh-tokens.ts',
  'revocation-contract': 'lib/revocation-contract.ts'
}

/** Of the pages. One that has none here is called as its file. */
const TITLES = {
  plugin: 'The plugin and its helpers',
  fastify: 'Requests, replies and the app',
  session: 'The session',
  options: 'Options of a session',
  control: 'app.secureSession',
  guard: 'Guards',
  revocation: 'Revocation',
  keyring: 'Keyrings',
  sealing: 'Keys, durations, serializers',
  cookie: 'Attributes of the cookie',
  'device-bound': 'Device bound sessions',
  'hand-over': 'Hand-overs',
  tenants: 'Tenants',
  tokens: 'Tokens for links',
  legacy: 'Migration',
  events: 'Events',
  sealer: 'fastify-sealed-session/sealer',
  'fresh-tokens': 'fastify-sealed-session/fresh-tokens',
  'revocation-contract': 'fastify-sealed-session/revocation-contract'
}

/** The pages of the reference, in the order of the navigation. */
export function listReference () {
  const files = { ...FILES }
  for (const file of readdirSync(join(ROOT, 'types'))) files[file.replace(/\.ts$/, '')] ??= `types/${file}`
  const names = Object.keys({ ...TITLES, ...files }).filter(name => name in files)
  return names.map(name => ({ name, file: files[name], title: TITLES[name] ?? name }))
}

/** Writes the pages to a folder. Anything that typedoc warns of is an error. */
export async function writeReference (folder) {
  copySource()
  const pages = listReference()
  const app = await Application.bootstrapWithPlugins({
    ...READING,
    ...WRITING,
    entryPoints: pages.map(({ file }) => join(SOURCE, file)),
    outputs: [{ name: 'markdown', path: folder }],
    pageTitleTemplates: { module: ({ name }) => pages.find(page => page.name === name)?.title ?? name }
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children) module.name = pages.find(({ file }) => file === `${module.name}.ts`).name
    mergeNamespace(project, project.children.find(({ name }) => name === 'plugin'))
    for (const type of project.children.find(({ name }) => name === 'fastify').children) removeForeign(type)
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('the types could not be read')
  app.validate(project)
  await app.generateOutputs(project)
  const isWrong = app.logger.hasWarnings() || app.logger.hasErrors()
  if (isWrong) throw new Error('typedoc has found errors in the doc comments')
  writeFileSync(join(folder, 'index.md'), indexOf(project, pages))
  for (const name of readdirSync(folder)) finish(join(folder, name))
}

/** Codes of errors lead to what to do about them. Parts of a comment are no headings, so that members stand out. */
function finish (file) {
  const linked = (code, name) => `[${code}](../errors.md#${slugOf(name)})`
  const text = readFileSync(file, 'utf8').replace(/`(FST_\w+)`/g, linked).replace(PART_HEADING, '**$1**')
  writeFileSync(file, text)
}

const PARTS = 'Parameters|Type Parameters|Returns|Throws|Example|See|Extends|Extended by|Inherited from'
const PART_HEADING = new RegExp(`^#{3,6} (${PARTS})$`, 'gm')

const READING = {
  tsconfig: join(SOURCE, 'tsconfig.json'),
  basePath: SOURCE,
  displayBasePath: SOURCE,
  // `npm run types` does.
  skipErrorChecking: true,
  excludeInternal: true,
  excludeExternals: true,
  excludeReferences: true
}

const WRITING = {
  plugin: ['typedoc-plugin-markdown'],
  readme: 'none',
  disableSources: true,
  disableGit: true,
  logLevel: 'Warn',
  outputFileStrategy: 'modules',
  entryFileName: 'index',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  hideGroupHeadings: true,
  parametersFormat: 'table'
}

/** The sources with comments as typedoc shows them best, and two files more: what no file exports as users see it. */
function copySource () {
  rmSync(SOURCE, { recursive: true, force: true })
  for (const path of ['index.ts', 'lib', 'types']) cpSync(join(ROOT, path), join(SOURCE, path), { recursive: true })
  for (const path of readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.ts'))) {
    const file = join(SOURCE, path)
    const text = readFileSync(file, 'utf8').replace(/\/\*\*[^]*?\*\//g, asShown)
    writeFileSync(file, path.startsWith('types') ? text.replace(/^(?=interface |type )/gm, 'export ') : text)
  }
  writeFileSync(join(SOURCE, 'plugin.ts'), PLUGIN_FILE)
  writeFileSync(join(SOURCE, 'fastify.ts'), FASTIFY_FILE)
  const settings = { extends: join(ROOT, 'tsconfig.json'), compilerOptions: { rootDir: '.' }, include: ['.'] }
  writeFileSync(join(SOURCE, 'tsconfig.json'), JSON.stringify(settings))
}

/**
 * A comment with its default and source as lines of the text, and errors as a list with their codes, which typedoc
 * would leave out.
 */
function asShown (comment) {
  let shown = comment
  for (let tag; (tag = FIRST_TAG.exec(shown)) !== null && tag[1] in AS_TEXT;) {
    shown = shown.replace(tag[0], () => `\n * ${AS_TEXT[tag[1]](tag[2])}`)
  }
  return shown
    .replace(/@throws \{/, '@throws\n * - {')
    .replace(/@throws \{/g, '- {')
    .replace(/- \{(FST_\w+)\}/g, '- `$1`')
}

const FIRST_TAG = /(?<=\* )@(\w+) ?([^]*?)(?=\s*\*\/|\s*\* @)/
const IS_CODE = /^(?:'[^']*'|-?[\d.]+|\w+\.\w+|\{.*\}|true|false)$/

/** Tags that are shown as text, if they are the first ones of a comment. */
const AS_TEXT = {
  default: text => `Default: ${IS_CODE.test(text) ? `\`${text}\`` : text}.`,
  see: text => `See ${text}.`
}

const PLUGIN_FILE = `import secureSession = require('./index')
export { secureSession }
`

const FASTIFY_FILE = `import './types/fastify'
import './types/fresh-tokens'
export type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
export type { SecureSessionOptions } from './types/fastify'
`

/** Most types of the namespace have a page of their own. */
function mergeNamespace (project, plugin) {
  const namespace = plugin.children.find(({ kind }) => kind === ReflectionKind.Namespace)
  for (const child of [...namespace.children]) {
    if (child.type?.name?.split('.').at(-1) === child.name) project.removeReflection(child)
  }
  project.mergeReflections(namespace, plugin)
}

/** What Fastify declares itself. */
function removeForeign (type) {
  if (type.kind !== ReflectionKind.Interface) return
  Object.assign(type, { comment: undefined, typeParameters: undefined, extendedTypes: undefined })
}

function indexOf (project, pages) {
  const lines = pages.map(({ name, title }) => {
    const { children = [] } = project.children.find(module => module.name === name)
    const names = children.map(child => `[\`${child.name}\`](${name}.md#${slugOf(child.name)})`)
    return `## [${title}](${name}.md)\n\n${names.join(', ')}\n`
  })
  return ['# API reference\n', ...lines].join('\n')
}
