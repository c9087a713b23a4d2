'use strict'

const HEAD_END = Buffer.from('\r\n\r\n')
const OK = Buffer.from('HTTP/1.1 200 ')

/** Cuts what comes over a connection into replies; the body of each has the same length. */
class Replies {
  #bodyBytes
  #pending = null

  constructor (bodyBytes) {
    this.#bodyBytes = bodyBytes
  }

  /** The heads of the replies that are whole by now. Throws where one is not a 200. */
  take (chunk) {
    let rest = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk])
    const heads = []
    for (;;) {
      const headEnd = rest.indexOf(HEAD_END)
      const end = headEnd + HEAD_END.length + this.#bodyBytes
      if (headEnd === -1 || rest.length < end) break
      if (rest.compare(OK, 0, OK.length, 0, OK.length) !== 0) throw new Error(`unexpected reply: ${rest.toString('latin1', 0, 300)}`)
      heads.push(rest.subarray(0, headEnd))
      rest = rest.subarray(end)
    }
    this.#pending = rest.length === 0 ? null : rest
    return heads
  }

  get isEmpty () {
    return this.#pending === null
  }
}

module.exports = { Replies }
