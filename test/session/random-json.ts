import type { Dice } from '../proofs/dice'

const NUMBERS = [0, -0, 7, -499, 1 / 3, 1e21, 1e-9, 1.5e300, -1.25e-7, 2 ** 53]
const TEXTS = ['', 'a', 'abc xyz ~!', '{}[]:,', '\u007f']

function upTo (dice: Dice, most: number): number {
  return Math.floor(dice.between(0, most + 1))
}

function listOf<T> (dice: Dice, most: number, make: () => T): T[] {
  return Array.from({ length: upTo(dice, most) }, make)
}

function value (dice: Dice, depth: number): unknown {
  const nested = (): unknown => value(dice, depth + 1)
  switch (upTo(dice, depth > 3 ? 3 : 5)) {
    case 0: return dice.oneOf(NUMBERS)
    case 1: return dice.oneOf(TEXTS)
    case 2: return dice.oneOf([true, false, null])
    case 3: return upTo(dice, 1e6) / 997
    case 4: return listOf(dice, 3, nested)
    default: return Object.fromEntries(listOf(dice, 3, () => ['kabcdef'.slice(0, 1 + upTo(dice, 6)), nested()]))
  }
}

/** The data of a session, all in ASCII, and no key of it begins with a digit. */
export function randomData (dice: Dice): Record<string, unknown> {
  return Object.fromEntries(listOf(dice, 5, () => [dice.oneOf([...'abcdef']) + upTo(dice, 99), value(dice, 0)]))
}

/** The text with a character or two changed, taken out or put in. */
export function bent (dice: Dice, text: string, marks: readonly string[]): string {
  for (let times = 1 + upTo(dice, 1); times > 0; times--) {
    const at = upTo(dice, text.length)
    const put = dice.chance(2 / 3) ? dice.oneOf(marks) : ''
    text = text.slice(0, at) + put + text.slice(dice.chance(0.5) ? at : at + 1)
  }
  return text
}
