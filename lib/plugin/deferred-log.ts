/** What is logged while sessions are opened. */
export interface OpeningLog {
  debug (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

type Line = readonly [level: keyof OpeningLog, fields: object, message: string]

/**
 * Keeps log lines until the session that they are about is open: the app's log may read `request.session` for every line, in a
 * mixin or a serializer.
 */
export class DeferredLog implements OpeningLog {
  #lines: Line[] | null = null

  debug (fields: object, message: string): void {
    this.#keep(['debug', fields, message])
  }

  warn (fields: object, message: string): void {
    this.#keep(['warn', fields, message])
  }

  error (fields: object, message: string): void {
    this.#keep(['error', fields, message])
  }

  /** Writes the lines to another log. */
  flush (log: OpeningLog): void {
    const lines = this.#lines
    this.#lines = null
    lines?.forEach(([level, fields, message]) => { log[level](fields, message) })
  }

  #keep (line: Line): void {
    this.#lines ??= []
    this.#lines.push(line)
  }
}
