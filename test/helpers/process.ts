/** The environment without what the test runner adds to it, so that a child is a process like any other. */
export function plainEnv (more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...more }
  for (const name of Object.keys(env)) {
    if (/^_?TAP|^NODE_V8_COVERAGE$|^NODE_OPTIONS$/.test(name)) delete env[name]
  }
  return env
}
