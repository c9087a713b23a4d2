import { join } from 'node:path'
import { KEY_BYTES, randomize } from '../core/aead'
import { writeKeyring } from '../keyring/document'
import { DEFAULT_KEEP_FOR_MS, keyThatSeals, ringOf } from '../keyring/lifecycle'
import { nameOf } from '../keyring/stored-keyring'
import { MODE } from '../stores/whole-file'
import { WrongUse, type Command, type OptionName } from './command'
import { historyJson, historyOf, keyTable } from './key-history'
import { keyFromEnv, KEYRING_OPTIONS, withKeyring } from './keyring-access'
import { importOf, pluginFile } from './plugin-file'
import { ENV, envState, KEY_NAME, OLD_LIBRARY, readProject, type EnvState, type Project } from './project'
import { changeFile, withLine } from './project-files'
import { PROGRAM, table } from './text'

const FOR_KEYRINGS: readonly OptionName[] = [...KEYRING_OPTIONS, 'key-env']
/** Of new files without secrets, before the umask of the process. */
const PLAIN_MODE = 0o666

export const init: Command = {
  name: 'init',
  summary: 'set up an app, or create a keyring with one active key',
  about: `Without the options of a keyring: looks at the app in this folder, and prints a
plugin file for it and what else to do. With --write, it writes that file, a
SESSION_KEY to .env, and .env to .gitignore. A plugin file or a key that is
there is not changed, and no key is printed.

With --keyring or --redis: creates a keyring. An existing keyring is not
changed. Only the owner can read the file, so run this as the user of the
server. A server with the option "key" changes to a keyring with the same key,
so that no user is logged out: --key-env SESSION_KEY. For an array of keys, give
all names, with commas: the first key seals, the others open for 90 days.`,
  options: ['write', ...FOR_KEYRINGS],
  async run (args, io) {
    if (FOR_KEYRINGS.every(name => args[name] === undefined)) return await setUp(io.cwd, args.write === true)
    if (args.write) throw new WrongUse('--write is for an app, without the options of a keyring')
    return await withKeyring(args, io, async store => {
      const materials = args['key-env']?.split(',').map(name => keyFromEnv(name, io))
      const nowMs = io.now()
      const records = ringOf(materials ?? [newKey()], nowMs, DEFAULT_KEEP_FOR_MS)
      const name = nameOf(store)
      if (!await store.update(null, writeKeyring(records))) throw new Error(`${name} exists, and was not changed`)
      const keys = historyOf(records, nowMs)
      return {
        lines: [`Created ${name}.`, ...keyTable(keys, nowMs)],
        json: { id: keyThatSeals(records, nowMs).id, keys: keys.map(historyJson) }
      }
    })
  }
}

function newKey (): Buffer {
  return randomize(Buffer.alloc(KEY_BYTES))
}

/** Which files were written. */
interface Written {
  readonly gitignore: boolean
  readonly env: boolean
  readonly plugin: boolean
}

const NOTHING: Written = { gitignore: false, env: false, plugin: false }

async function setUp (cwd: string, writes: boolean): ReturnType<Command['run']> {
  const project = await readProject(cwd)
  const { path, lines } = pluginFile(project)
  const written = writes ? await write(cwd, project) : NOTHING
  const steps = stepsOf(project, written)
  const text = lines.join('\n')
  return {
    lines: [
      ...table(foundIn(project)),
      '',
      ...writes ? reportOf(project, written, path) : [`${path}:`, ''],
      ...written.plugin ? [] : [...lines.map(line => line === '' ? '' : `    ${line}`), ''],
      ...steps.map((step, index) => `${index + 1}. ${step}`),
      ...writes ? [] : ['', `Nothing was written. "npx ${PROGRAM} init --write" writes ${path}, .env and .gitignore.`]
    ],
    json: { found: project, plugin: { path, text }, written, steps }
  }
}

/** `.gitignore` first, so that no key is in a file that git would take. */
async function write (cwd: string, project: Project): Promise<Written> {
  const change = async (name: string, mode: number, to: (text: string | null) => string | null): Promise<boolean> => {
    return await changeFile(join(cwd, name), name, mode, to)
  }
  const gitignore = !project.isEnvIgnored && await change('.gitignore', PLAIN_MODE, text => {
    // Another init may have added the same line since the project was read.
    return withLine((text ?? '').replace(/(^|\n)\.env\r?\n$/, '$1'), ENV)
  })
  const env = await change(ENV, MODE, text => {
    const hasName = !['none', 'missing'].includes(envState(text))
    return hasName ? null : withLine(text ?? '', `${KEY_NAME}=${newKey().toString('base64url')}`)
  })
  const { path, lines } = pluginFile(project)
  const plugin = await change(path, PLAIN_MODE, text => text === null ? `${lines.join('\n')}\n` : null)
  return { gitignore, env, plugin }
}

const ENV_STATES: Readonly<Record<EnvState, string>> = {
  none: 'not there',
  missing: `has no ${KEY_NAME}`,
  empty: `has an empty ${KEY_NAME}`,
  wrong: `has a ${KEY_NAME} that is not a key of 32 bytes`,
  key: `has a ${KEY_NAME}`
}

function foundIn (project: Project): string[][] {
  const { isModule, isTypeScript, fastify, isNest, sessions, folder, hasFolder, isAutoloaded } = project
  const ofFolder = isAutoloaded ? ', which @fastify/autoload loads' : hasFolder ? '' : ', not there yet'
  return [
    ['package.json', `${isModule ? 'ES modules' : 'CommonJS'}, ${isTypeScript ? 'TypeScript' : 'JavaScript'}`],
    ['fastify', `${fastify}${isNest ? ', with NestJS' : ''}`],
    ['sessions', sessions.join(', ') || 'none'],
    ['plugins', `${folder}/${ofFolder}`],
    [ENV, ENV_STATES[project.env]],
    ['.gitignore', project.isEnvIgnored ? 'has .env' : 'does not have .env']
  ]
}

function reportOf ({ env, isEnvIgnored }: Project, written: Written, path: string): string[] {
  return [
    ...written.gitignore ? ['Added .env to .gitignore.'] : [],
    written.env ? `Added a new ${KEY_NAME} to .env.` : `.env ${ENV_STATES[env]}, and was not changed.`,
    ...env !== 'none' && !isEnvIgnored
      ? ['.env existed, and git did not ignore it: if it is in the repository, run "git rm --cached .env".']
      : [],
    written.plugin ? `Wrote ${path}.` : `${path} exists, and was not changed. For an app like this one it would be:`,
    ''
  ]
}

/** What is left to do, in order. */
function stepsOf (project: Project, written: Written): string[] {
  const { missing, missingForTypes, env, isEnvOpen, isEnvIgnored, sessions, isAutoloaded, readsEnv } = project
  return [
    ...missing.length > 0 ? [`npm install ${missing.join(' ')}`] : [],
    ...missingForTypes.length > 0 ? [`npm install --save-dev ${missingForTypes.join(' ')}`] : [],
    ...written.env ? [] : KEY_STEPS[env],
    ...isEnvOpen ? ['chmod 600 .env, because other users of this machine can read it.'] : [],
    ...isEnvIgnored || written.gitignore ? [] : ['Put .env into .gitignore: the key must not be in the repository.'],
    ...isAutoloaded ? [] : [registrationOf(project)],
    ...sessions.map(name => `Remove the registration of ${name}: it adds request.session, too.`),
    ...sessions.includes(OLD_LIBRARY) ? [OLD_KEY] : [],
    ...readsEnv ? [] : ['Start the app with the variables of .env, such as by "node --env-file=.env".'],
    'Behind a proxy that ends TLS, set trustProxy of Fastify, so that the cookie is Secure.'
  ]
}

function registrationOf (project: Project): string {
  const { isNest, folder } = project
  const place = isNest ? 'src/main.ts, before listen()' : `a file beside the folder ${folder}, before the routes`
  return `In ${place}: ${importOf(project)}, and then: ${isNest ? 'await ' : ''}app.register(session)`
}

const OLD_KEY = `Put OLD_KEY=... into .env: the key of ${OLD_LIBRARY}, as base64 or hex. ` +
  'Of a key file, print it by: node -p "fs.readFileSync(\'secret-key\', \'base64\')"'
const GENERATE = `echo "${KEY_NAME}=$(npx ${PROGRAM} generate)" >> .env`
const OTHER_NAME = `${KEY_NAME} in .env is no key. If another library uses it, ` +
  'take another name in the plugin file, and put a key under that name into .env.'
const KEY_STEPS: Readonly<Record<EnvState, readonly string[]>> = {
  none: [GENERATE],
  missing: [GENERATE],
  empty: [`Put a key after ${KEY_NAME}= in .env: npx ${PROGRAM} generate`],
  wrong: [OTHER_NAME],
  key: []
}
