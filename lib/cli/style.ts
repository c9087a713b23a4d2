import type { KeyState } from '../keyring/schedule'
import type { Io } from './command'

/** How things look: in colours and blocks on a terminal, in ASCII everywhere else. */
export interface Style {
  readonly marks: Readonly<Record<KeyState, string>>
  readonly nowMark: string
  paint (state: KeyState, text: string): string
  emphasize (text: string): string
}

const COLOURS: Readonly<Record<KeyState, number>> = { pending: 33, active: 32, retired: 36, expired: 90, revoked: 31 }
const BOLD = 1

export const PLAIN: Style = {
  marks: { pending: '.', active: '#', retired: '=', expired: '-', revoked: 'x' },
  nowMark: 'v',
  paint: (_, text) => text,
  emphasize: text => text
}

export const COLOURED: Style = {
  marks: { pending: '░', active: '█', retired: '▒', expired: '·', revoked: '×' },
  nowMark: '▼',
  paint: (state, text) => escaped(COLOURS[state], text),
  emphasize: text => escaped(BOLD, text)
}

/** https://no-color.org: the variable counts where it is not empty. */
export function styleFor ({ isTTY, env }: Io): Style {
  return isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' ? COLOURED : PLAIN
}

function escaped (code: number, text: string): string {
  return `\u001b[${code}m${text}\u001b[0m`
}
