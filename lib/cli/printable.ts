/** Text that others wrote, without what a terminal would obey: controls, and marks that turn the direction of writing. */

/** Each UTF-16 unit of such a character as `\u` and four hex digits, which in JSON means the same. Newlines and tabs stay. */
export function printable (text: string): string {
  return text.replace(/[^\n\t\P{C}]|[\u2028\u2029]/gu, character => character.split('').map(escaped).join(''))
}

/** As `printable`, in one line. */
export function oneLine (text: string): string {
  return printable(text.replace(/\s*[\r\n]+\s*/g, ' '))
}

function escaped (unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
