import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'

/** A `fetch` over TLS that trusts this certificate. It sends what the visitors of the examples send: forms, and headers as an object. */
export function trusting (ca: string): typeof fetch {
  return async (url, { method = 'GET', body, headers } = {}) => {
    const isForm = body instanceof URLSearchParams
    const type = isForm ? { 'content-type': 'application/x-www-form-urlencoded' } : {}
    const sent = request(String(url), { method, ca, agent: false, headers: { ...type, ...headers as Record<string, string> } })
    sent.end(isForm ? String(body) : undefined)
    const [response] = await once(sent, 'response') as [IncomingMessage]
    const text = Buffer.concat(await response.toArray()).toString()
    const { statusCode: status = 0, rawHeaders } = response
    const pairs = rawHeaders.flatMap((name, at) => at % 2 === 0 ? [[name, rawHeaders[at + 1]] as [string, string]] : [])
    return new Response(status === 204 ? null : text, { status, headers: pairs })
  }
}
