/** One cause may have many effects; all were told when they came. */
const MOST_TOLD = 10
/** On a busy machine a run lasts until enough has happened, but no longer than this many times as long as it should. */
const MOST_TIMES_AS_LONG = 8
const PROGRESS_MS = { terminal: 3000, otherwise: 10_000 }

/** What a proof counts, what spoke against it, and how it tells. */
export class Report {
  readonly #title: string
  readonly #counts = new Map<string, number>()
  readonly #wanted = new Map<string, number>()
  readonly #violations: string[] = []
  readonly #startedAt = Date.now()
  readonly #timer: NodeJS.Timeout

  constructor (title: string) {
    this.#title = title
    const everyMs = process.stderr.isTTY ? PROGRESS_MS.terminal : PROGRESS_MS.otherwise
    this.#timer = setInterval(() => { console.error(`${this.#seconds} s: ${this.#inOneLine}`) }, everyMs).unref()
  }

  /** Counted things are told in the order in which they are first named, so a program names them all at its start. */
  expect (...names: string[]): void {
    for (const name of names) this.#counts.set(name, this.count(name))
  }

  add (name: string, more = 1): void {
    this.#counts.set(name, this.count(name) + more)
  }

  most (name: string, found: number): void {
    this.#counts.set(name, Math.max(this.count(name), Math.ceil(found)))
  }

  reset (name: string): void {
    this.#counts.set(name, 0)
  }

  count (name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** What must not be. It is told at once, since the ring will be another soon. */
  violation (what: string): void {
    this.#violations.push(what)
    console.error(`${new Date().toISOString()} VIOLATION: ${what}`)
  }

  /** A run in which less of this happens proves nothing. */
  want (least: number, ...names: string[]): void {
    for (const name of names) this.#wanted.set(name, least)
  }

  /** True once the run has taken this long and enough has happened. */
  isOver (seconds: number): boolean {
    const takenS = (Date.now() - this.#startedAt) / 1000
    return takenS >= (this.#missing.length === 0 ? seconds : MOST_TIMES_AS_LONG * seconds)
  }

  /** Prints the summary; true where nothing spoke against the proof. */
  close (): boolean {
    clearInterval(this.#timer)
    for (const name of this.#missing) this.violation(`too quiet to prove anything: ${name}: ${this.count(name)}, and ${this.#wanted.get(name)} are wanted`)
    console.log(`${this.#title}, ${this.#seconds} s`)
    for (const [name, count] of this.#counts) console.log(`  ${name}: ${count}`)
    console.log(this.#violations.length === 0 ? '  proven' : `  NOT PROVEN, ${this.#violations.length} violations:`)
    for (const violation of this.#violations.slice(0, MOST_TOLD)) console.log(`    ${violation}`)
    return this.#violations.length === 0
  }

  get #missing (): string[] {
    return Array.from(this.#wanted).filter(([name, least]) => this.count(name) < least).map(([name]) => name)
  }

  get #seconds (): number {
    return Math.round((Date.now() - this.#startedAt) / 1000)
  }

  get #inOneLine (): string {
    return Array.from(this.#counts, ([name, count]) => `${name} ${count}`).join(', ')
  }
}
