'use strict'

const os = require('node:os')

const PACKAGES = [
  'fastify-sealed-session', 'fastify', '@fastify/cookie', 'sodium-native', '@fastify/secure-session', '@fastify/session', 'ioredis', 'iron-session', 'jose', 'h3'
]

/** What it was measured on. */
function environment () {
  const [{ model }] = os.cpus()
  return {
    node: process.version,
    cpu: model,
    cores: os.cpus().length,
    platform: `${process.platform}-${process.arch}`,
    packages: Object.fromEntries(PACKAGES.map(name => [name, versionOf(name)]))
  }
}

/** Some packages do not let their package.json be asked for by name. */
function versionOf (name) {
  const folder = require.resolve.paths(name).map(path => `${path}/${name}/package.json`)
  const file = folder.find(path => require('node:fs').existsSync(path)) ?? `${name}/package.json`
  return require(file).version
}

function markdownOf (results, parts) {
  const { node, cpu, cores, platform, packages } = results
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`).join(', ')
  return `# Benchmarks

One run of \`npm run bench\`, which wrote this page. Node.js ${node}, ${platform}, ${cores} cores of ${cpu}. ${versions}.

${parts.map(name => require(`../${name}`).markdown(results[name], results.settings)).join('\n')}`
}

/** SVG by name. */
function chartsOf (results, parts) {
  return Object.assign({}, ...parts.map(name => require(`../${name}`).charts(results[name])))
}

module.exports = { chartsOf, environment, markdownOf }
