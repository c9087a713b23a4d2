import type { Test } from 'tap'
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
  for (const [name, original] of Object.entries(sodium) as Array<[string, unknown]>) {
    if (typeof original !== 'function') continue
    const short = name.replace(/^crypto_(?:aead_xchacha20poly1305_ietf_)?/, '')
    Object.assign(sodium, { [name]: (...args: unknown[]) => { calls.sodium.push(short); return original(...args) } })
    t.teardown(() => { Object.assign(sodium, { [name]: original }) })
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
