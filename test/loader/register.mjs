import Module, { createRequire, register } from 'node:module'

const { javascriptOf } = createRequire(import.meta.url)('./compile.js')

Module._extensions['.ts'] = (module, path) => { module._compile(javascriptOf(path), path) }
register('./hooks.mjs', import.meta.url)
