import { OLD_LIBRARY, type Project } from './project'

/** The plugin file that `init` prints and writes, in the dialect of the project. */
export function pluginFile (project: Project): { readonly path: string, readonly lines: readonly string[] } {
  const { folder, isTypeScript } = project
  const { head, begin, end } = frameOf(project)
  const lines = [
    ...head,
    '',
    ...isTypeScript ? SESSION_DATA : [],
    '// The options: node_modules/fastify-sealed-session/docs/options.md',
    `${begin} fp(async app => {`,
    '  await app.register(secureSession, {',
    ...optionsOf(project).map(line => `    ${line}`),
    '  })',
    `}, { name: 'session' })${end}`
  ]
  return { path: `${folder}/session.${isTypeScript ? 'ts' : 'js'}`, lines }
}

/** How a file of the project would import the plugin file that is at `./plugins/session` from there. */
export function importOf ({ isModule, isTypeScript, needsImportEquals }: Project): string {
  const path = `'./plugins/session${isModule ? '.js' : ''}'`
  if (needsImportEquals) return `import session = require(${path})`
  return isModule || isTypeScript ? `import session from ${path}` : `const session = require(${path})`
}

const SESSION_DATA = [
  'declare module \'fastify-sealed-session\' {',
  '  // What a session holds. Declare your own values here.',
  '  interface SessionData {',
  '    user: { id: string }',
  '  }',
  '}',
  ''
]

interface Frame {
  readonly head: readonly string[]
  readonly begin: string
  readonly end: string
}

function frameOf ({ isModule, isTypeScript, needsImportEquals }: Project): Frame {
  const names = [['fp', 'fastify-plugin'], ['secureSession', 'fastify-sealed-session']]
  if (needsImportEquals) {
    return { head: names.map(([name, from]) => `import ${name} = require('${from}')`), begin: 'export =', end: '' }
  }
  if (isModule || isTypeScript) {
    return { head: names.map(([name, from]) => `import ${name} from '${from}'`), begin: 'export default', end: '' }
  }
  const head = names.map(([name, from]) => `const ${name} = require('${from}')`)
  return { head: ['\'use strict\'', '', ...head], begin: 'module.exports =', end: '' }
}

function optionsOf ({ isTypeScript, sessions }: Project): string[] {
  const env = (name: string): string => isTypeScript ? `process.env['${name}']` : `process.env.${name}`
  const lines = [
    `key: ${env('SESSION_KEY')},`,
    '// In production, browsers take this cookie only over TLS, and only from this exact host.',
    `cookieName: ${env('NODE_ENV')} === 'production' ? '__Host-session' : 'session',`,
    '// The id of the logged-in user, for app.requireSession(). The id of a user must never change.',
    'subject: session => session.get(\'user\')?.id'
  ]
  if (!sessions.includes(OLD_LIBRARY)) return lines
  const opener = `secureSession.secureSessionOpener({ key: ${env('OLD_KEY')}, cookieName: 'session' })`
  return [
    ...lines.slice(0, -1),
    `${lines.at(-1)},`,
    `// The users of ${OLD_LIBRARY} stay logged in: OLD_KEY is its key, cookieName the name of its cookie.`,
    `legacy: [${opener}]`
  ]
}
