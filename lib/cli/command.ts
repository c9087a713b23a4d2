import type { Clock } from '../time'
import type { Arguments } from './arguments'

/** What a command is given of the world around it. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** What comes in on stdin; of what is longer than this, the beginning and at least one byte more. */
  readonly input: (mostBytes: number) => Promise<Buffer>
  readonly isInputTTY: boolean
  readonly isTTY: boolean
  /** How wide the terminal is, where there is one. */
  readonly columns: number | undefined
  readonly now: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** What a command has to say, for people and for programs. */
export interface Result {
  readonly lines: readonly string[]
  readonly json: object
}

export interface Option {
  readonly name: string
  /** What stands after the option, as help names it; without it, the option is a flag. */
  readonly value?: string
  readonly about: string
}

export interface Command {
  readonly name: string
  /** One line of the list of commands. */
  readonly summary: string
  /** The one argument that is not an option, as help names it. */
  readonly argument?: string
  /** After the name, where help shows the usage; in several lines where it is long. */
  readonly usage: string
  readonly about: string
  readonly options: readonly Option[]
  /** Throws `WrongUse`, `Failure` and the coded errors of the package. */
  run (args: Arguments, io: Io): Promise<Result>
}
