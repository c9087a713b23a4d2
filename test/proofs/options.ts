import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { REPOSITORY } from './package-under-test'

type Defaults = Readonly<Record<string, number | string | boolean>>
type Read<D extends Defaults> = { readonly [Name in keyof D]: D[Name] extends number ? number : D[Name] extends boolean ? boolean : string }

/** Options from the command line, such as `--seconds 15`; each is of the type of its default. `--package` is the folder of the package. */
export function readOptions<D extends Defaults> (defaults: D): Read<D> & { readonly package: string } {
  const names = Object.entries({ ...defaults, package: REPOSITORY })
  const { values } = parseArgs({ options: Object.fromEntries(names.map(([name, otherwise]) => [name, { type: typeof otherwise === 'boolean' ? 'boolean' : 'string' } as const])) })
  const read = names.map(([name, otherwise]) => [name, readOne(name, values[name], otherwise)])
  const options = Object.fromEntries(read) as Read<D> & { package: string }
  return { ...options, package: resolve(options.package) }
}

function readOne (name: string, value: string | boolean | undefined, otherwise: number | string | boolean): unknown {
  if (value === undefined || typeof otherwise !== 'number') return value ?? otherwise
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} takes a whole number above 0; found ${value}`)
  return number
}
