import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Test } from 'tap'
import * as errors from '../../lib/errors'

export const ROOT = resolve(__dirname, '../..')

/** Of all errors that the package throws. */
export const CODES: readonly string[] = Object.values(errors).map(ErrorClass => (Reflect.construct(ErrorClass, ['', {}]) as { code: string }).code)

export interface Page {
  readonly PAGE: string
  readonly blocks: (language: string) => string[]
  /** The one block that holds this text. */
  readonly block: (t: Test, language: string, text: string) => string
}

/** A page of the documentation, and its blocks of code. */
export function pageOf (file: string): Page {
  const PAGE = readFileSync(join(ROOT, 'docs', file), 'utf8')
  const blocks = (language: string): string[] => Array.from(PAGE.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g')), ([, code]) => code as string)
  return {
    PAGE,
    blocks,
    block (t, language, text) {
      const [found, ...others] = blocks(language).filter(block => block.includes(text))
      t.ok(found !== undefined && others.length === 0, `one block with ${text}`)
      return found as string
    }
  }
}
