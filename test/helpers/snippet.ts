import { compileFunction } from 'node:vm'

/** Runs code of a page as it stands there, with these names in its scope. Gives what the expression `result` comes to after it. */
export function runSnippet (code: string, scope: Record<string, unknown>, result = 'undefined'): any {
  return compileFunction(`${code}\nreturn ${result}`, Object.keys(scope))(...Object.values(scope))
}
