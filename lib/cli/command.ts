import type { Clock } from '../time'
import type { Arguments, OptionName } from './arguments'

/** The process around a command. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Reads stdin. Of longer input it returns the beginning, with at least one byte more than `mostBytes`. */
  readonly input: (mostBytes: number) => Promise<Buffer>
  readonly isInputTTY: boolean
  readonly now: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** The output of a command, as lines of text and as the object that `--json` prints. */
export interface Result {
  readonly lines: readonly string[]
  readonly json: object
}

export interface Command {
  readonly name: string
  /** For the list of commands. */
  readonly summary: string
  /** The name of the argument that is not an option. */
  readonly argument?: string
  /** For the help of the command. */
  readonly about: string
  /** Without `json` and `help`, which every command has. */
  readonly options: readonly OptionName[]
  /** @throws WrongUse, Failure, and the coded errors of the package */
  run (args: Arguments, io: Io): Promise<Result>
}
