import type { Test } from 'tap'
import { cipher } from '../../lib/core/cipher'
import { sodium } from '../../lib/core/sodium'

/** Calls into libsodium and JSON, by name, in the order in which they were made. */
export interface Calls {
  sodium: string[]
  /** The texts that were parsed. */
  parsed: string[]
  /** The values that were written down. */
  written: unknown[]
}

/** Records calls until the test ends. What is returned starts anew with each `work`. */
export function recordCalls (t: Test): <T>(work: () => Promise<T>) => Promise<Calls & { result: T }> {
  let calls: Calls = { sodium: [], parsed: [], written: [] }
  for (const functions of [sodium, cipher] as object[]) {
    for (const [name, original] of Object.entries(functions) as Array<[string, unknown]>) {
      if (typeof original !== 'function') continue
      Object.assign(functions, { [name]: (...args: unknown[]) => { calls.sodium.push(name.replace(/^crypto_/, '')); return original(...args) } })
      t.teardown(() => { Object.assign(functions, { [name]: original }) })
    }
  }
  const { parse, stringify } = JSON
  JSON.parse = (...args: any[]) => { calls.parsed.push(args[0]); return parse(...args as [string]) }
  JSON.stringify = (...args: any[]) => { calls.written.push(args[0]); return stringify(...args as [any]) }
  t.teardown(() => { Object.assign(JSON, { parse, stringify }) })
  return async work => {
    calls = { sodium: [], parsed: [], written: [] }
    const of = calls
    const result = await work()
    // What the test itself does from here on goes elsewhere.
    calls = { sodium: [], parsed: [], written: [] }
    return { ...of, result }
  }
}
