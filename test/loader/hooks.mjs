/** What Node.js starts with, or imports, is loaded as CommonJS where it is TypeScript: `register.mjs` says how. */
export async function load (url, context, next) {
  return /^file:.*\.ts(?:$|\?)/.test(url) ? { format: 'commonjs', source: null, shortCircuit: true } : await next(url, context)
}
