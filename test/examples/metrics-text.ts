/** The text format of Prometheus, 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details */

export interface Family {
  readonly type: string
  readonly help: string
  /** By what stands before their value, the labels in the order of their names. */
  readonly samples: Map<string, number>
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`)
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`)
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:[a-zA-Z_]\\w*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*",?)*)\\})? ([0-9.e+-]+|NaN|[+-]Inf)$`)

/** The metrics of a scrape, by their names. Throws where the text is not in the format. */
export function parseMetrics (text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, Family>()
  let help = ''
  let current: [string, Family] | null = null
  for (const line of text.split('\n').filter(line => line !== '')) {
    const told = HELP.exec(line)
    const typed = TYPE.exec(line)
    const sample = SAMPLE.exec(line)
    if (told !== null) help = told[2] as string
    else if (typed !== null) {
      const name = typed[1] as string
      if (families.has(name)) throw new Error(`${name} comes twice`)
      current = [name, { type: typed[2] as string, help, samples: new Map() }]
      families.set(...current)
    } else if (sample !== null && current !== null) addSample(current, sample as unknown as [string, string, string | undefined, string])
    else throw new Error(`this is not the text format: ${line}`)
  }
  return families
}

function addSample ([family, { type, samples }]: [string, Family], [line, name, labels, value]: [string, string, string | undefined, string]): void {
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'summary' ? ['', '_sum', '_count'] : ['']
  if (!suffixes.some(suffix => name === family + suffix)) throw new Error(`this is not of ${family}: ${line}`)
  const sorted = (labels?.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? []).sort().join()
  const key = sorted === '' ? name : `${name}{${sorted}}`
  if (samples.has(key)) throw new Error(`this comes twice: ${line}`)
  samples.set(key, value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value))
}
