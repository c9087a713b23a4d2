'use strict'

const { at, colourOf, line, picture, text } = require('./svg')
const { label, scale, ticks } = require('./scale')

const MARGIN = 16
const NAMES_WIDTH = 128
const GAP = 28
const TOP = 66
const ROW = 26
const BAR = 15
const VALUE_ROOM = 52

/**
 * Lying bars, one row for each name, in panels side by side that share one scale:
 * `panels: [{ title, bars: { [name]: { median, lower, upper } } }]`. The thin line over a bar goes from quartile to quartile.
 * With `ownScales` each panel has a scale of its own. `labels` has what is written in place of a name.
 */
module.exports = function bars ({
  title, description, unit, names, panels, digits = 0, ownScales = false, width = 760, labels = {}, namesWidth = NAMES_WIDTH
}) {
  const height = TOP + names.length * ROW + 46
  const panelWidth = (width - 2 * MARGIN - namesWidth - (panels.length - 1) * GAP) / panels.length
  const all = panels.flatMap(panel => Object.values(panel.bars))
  const rows = names.map((name, row) => text(MARGIN + namesWidth - 10, TOP + row * ROW + 17, labels[name] ?? name, { anchor: 'end', as: name.startsWith('sealed') ? 'heading' : '' }))
  const drawn = panels.map((panel, index) => {
    const left = MARGIN + namesWidth + index * (panelWidth + GAP)
    return panelOf(panel, { names, unit, digits, left, right: left + panelWidth, values: ownScales ? Object.values(panel.bars) : all, count: Math.max(2, Math.floor(panelWidth / 90)) })
  })
  return picture({ width, height, title, description, body: [...rows, ...drawn].join('\n') })
}

function panelOf ({ title, bars }, { names, unit, digits, left, right, values, count }) {
  const marks = ticks(0, Math.max(...values.map(({ median, upper }) => upper ?? median)), count)
  const x = scale(marks, left, right - VALUE_ROOM)
  const bottom = TOP + names.length * ROW
  const grid = marks.flatMap(mark => [line(x(mark), TOP, x(mark), bottom, mark === 0 ? 'axis' : 'grid'), text(x(mark), bottom + 17, label(mark), { as: 'quiet', anchor: 'middle' })])
  return [
    text(left, TOP - 12, title),
    ...grid,
    text(left, bottom + 36, unit, { as: 'quiet' }),
    ...names.map((name, row) => bars[name] === undefined ? '' : bar(name, bars[name], TOP + row * ROW, x, digits))
  ].join('\n')
}

function bar (name, { median, lower = median, upper = median }, top, x, digits) {
  const y = top + (ROW - BAR) / 2
  const middle = y + BAR / 2
  const end = Math.max(x(0), x(median))
  const whisker = lower === upper ? '' : line(Math.max(x(0), x(lower)), middle, Math.max(x(0), x(upper)), middle, 'whisker')
  const shown = median.toFixed(digits)
  return `<rect class="${colourOf(name)}" x="${at(x(0))}" y="${at(y)}" width="${at(Math.max(end - x(0), 0.5))}" height="${BAR}"/>${whisker}` +
    text(Math.max(end, x(upper)) + 6, middle + 4.5, shown === '-0' ? '0' : shown, { as: name.startsWith('sealed') ? 'heading' : '' })
}
