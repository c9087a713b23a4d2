import { cpSync, mkdirSync, rmSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as buildSite, createServer } from 'vitepress'
import { writeReference } from './api.mjs'
import { deadLinks } from './check.mjs'
import { listPages, ROOT } from './pages.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const PAGES = join(HERE, 'built/pages')
const HTML = join(HERE, 'built/html')

/** The site, in `built/html`. */
export async function build () {
  await writePages()
  await buildSite(HERE)
  const dead = deadLinks(HTML)
  if (dead.length > 0) throw new Error(`links that lead nowhere:\n${dead.join('\n')}`)
  console.log(`The site is in ${HTML}`)
}

/** A server of the site, which shows changes of the Markdown. */
export async function serve () {
  await writePages()
  watch(join(ROOT, 'docs'), () => { copyPages() })
  const server = await createServer(HERE)
  await server.listen()
  server.printUrls()
}

async function writePages () {
  rmSync(PAGES, { recursive: true, force: true })
  copyPages()
  await writeReference(join(PAGES, 'api'))
}

function copyPages () {
  for (const [file, page] of listPages()) {
    const target = join(PAGES, page)
    mkdirSync(dirname(target), { recursive: true })
    cpSync(join(ROOT, file), target)
  }
}
