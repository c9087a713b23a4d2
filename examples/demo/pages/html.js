'use strict'

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text that is HTML already. Only `html` makes it. */
class Html {
  #text

  constructor (text) {
    this.#text = text
  }

  toString () {
    return this.#text
  }
}

/** A template whose every value is escaped, unless it came from such a template itself. Arrays are joined; null is nothing. */
function html (strings, ...values) {
  return new Html(strings.reduce((text, string, index) => text + written(values[index - 1]) + string))
}

function written (value) {
  if (value === null || value === undefined) return ''
  if (value instanceof Html) return String(value)
  if (Array.isArray(value)) return value.map(written).join('')
  return String(value).replace(/[&<>"']/g, character => ENTITIES[character])
}

module.exports = { html }
