import { readdirSync } from 'node:fs'

/** Whatever a test runs, the sources are what is to be covered: not the build, not the demo. */
const sources = readdirSync('lib', { recursive: true }).filter(file => file.endsWith('.ts')).map(file => `lib/${file}`)

export default () => ['index.ts', ...sources]
