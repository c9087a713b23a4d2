'use strict'

const { at, colourOf, line, picture, text } = require('./svg')
const { label, scale, ticks } = require('./scale')

const MARGIN = 16
const NAMES_WIDTH = 92
const TOP = 116
const LEGEND_TOP = 48
const LEGEND_ROW = 20
const LEGEND_COLUMNS = 5
const ROW = 38
const BAR = 24
const VALUE_ROOM = 52
/** Of the narrowest part that has its value written into it. */
const NARROWEST = 24

/**
 * Lying bars of parts that follow each other: `rows: [{ name, parts: [{ kind, value }] }]`. Each kind has a colour, `colours: { [kind]: [on white, on black] }`;
 * the sum stands behind the bar.
 */
module.exports = function stacked ({ title, description, unit, colours, rows, width = 760 }) {
  const left = MARGIN + NAMES_WIDTH
  const bottom = TOP + rows.length * ROW
  const marks = ticks(0, Math.max(...rows.map(sumOf)), 6)
  const x = scale(marks, left, width - MARGIN - VALUE_ROOM)
  const grid = marks.flatMap(mark => [line(x(mark), TOP, x(mark), bottom, mark === 0 ? 'axis' : 'grid'), text(x(mark), bottom + 17, label(mark), { as: 'quiet', anchor: 'middle' })])
  const drawn = rows.map((row, index) => bar(row, TOP + index * ROW, x, colours))
  const body = [legend(colours, width), ...grid, ...drawn, text(left, bottom + 38, unit, { as: 'quiet' })].join('\n')
  return picture({ width, height: bottom + 50, title, description, colours, body })
}

function legend (colours, width) {
  const step = (width - 2 * MARGIN) / LEGEND_COLUMNS
  return Object.keys(colours).map((kind, index) => {
    const left = MARGIN + index % LEGEND_COLUMNS * step
    const base = LEGEND_TOP + Math.floor(index / LEGEND_COLUMNS) * LEGEND_ROW
    return `<rect class="${colourOf(kind, colours)}" x="${at(left)}" y="${base - 9}" width="11" height="11"/>` + text(left + 17, base + 1, kind)
  }).join('\n')
}

function bar ({ name, parts }, top, x, colours) {
  const y = top + (ROW - BAR) / 2
  const base = y + BAR / 2 + 4.5
  let from = 0
  const drawn = parts.map(({ kind, value }) => {
    const [start, end] = [x(from), x(from += value)]
    const rect = `<rect class="part ${colourOf(kind, colours)}" x="${at(start)}" y="${at(y)}" width="${at(end - start)}" height="${BAR}"/>`
    return end - start < NARROWEST ? rect : rect + text((start + end) / 2, base, value.toFixed(1), { as: 'inside', anchor: 'middle' })
  })
  return [text(x(0) - 10, base, name, { anchor: 'end' }), ...drawn, text(x(from) + 8, base, from.toFixed(1), { as: 'heading' })].join('\n')
}

function sumOf ({ parts }) {
  return parts.reduce((sum, { value }) => sum + value, 0)
}
