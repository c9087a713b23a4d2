'use strict'

const { at, colourOf, line, picture, text } = require('./svg')
const { label, scale, ticks } = require('./scale')

const MARGIN = 16
const Y_LABELS = 58
const GAP = 22
const TOP = 88
const PLOT = 200
const UNDER = 54
const LEGEND_STEP = 132

/**
 * Lines in panels side by side: `panels: [{ title, x: { label, marks, names? }, y: { label, fromZero }, series: { [name]: [{ x, y, lower?, upper? }] } }]`.
 * `evenly`: the marks of x lie evenly, whatever they are. Quartiles are thin lines up and down.
 */
module.exports = function lines ({ title, description, panels, names, evenly = false, width = 760 }) {
  const panelWidth = (width - 2 * MARGIN - (panels.length - 1) * GAP) / panels.length
  const drawn = panels.map((panel, index) => panelOf(panel, { left: MARGIN + index * (panelWidth + GAP), width: panelWidth, evenly, names }))
  return picture({ width, height: TOP + PLOT + UNDER, title, description, body: [legend(names), ...drawn].join('\n') })
}

function legend (names) {
  if (names.length < 2) return ''
  return names.map((name, index) => {
    const x = MARGIN + index * LEGEND_STEP
    return line(x, 46, x + 18, 46, `line ${colourOf(name)}`) + text(x + 24, 50.5, name)
  }).join('\n')
}

function panelOf ({ title, x: xAxis, y: yAxis, series }, { left: outerLeft, width, evenly, names }) {
  const left = outerLeft + Y_LABELS
  const right = outerLeft + width - 8
  const bottom = TOP + PLOT
  const values = Object.values(series).flat().flatMap(({ y, lower = y, upper = y }) => [lower, upper])
  const yMarks = ticks(yAxis.fromZero === false ? Math.min(...values) : Math.min(0, ...values), Math.max(...values))
  const y = scale(yMarks, bottom, TOP)
  const x = evenly ? placesOf(xAxis.marks, left, right) : scale(xAxis.marks, left, right)
  return [
    text(left, TOP - 14, title),
    ...yMarks.flatMap(mark => [line(left, y(mark), right, y(mark), 'grid'), text(left - 7, y(mark) + 4, label(mark), { as: 'quiet', anchor: 'end' })]),
    line(left, bottom, right, bottom, 'axis'),
    ...xAxis.marks.map(mark => text(x(mark), bottom + 18, label(mark), { as: 'quiet', anchor: 'middle' })),
    text((left + right) / 2, bottom + 40, xAxis.label, { as: 'quiet', anchor: 'middle' }),
    text(outerLeft + 8, (TOP + bottom) / 2, yAxis.label, { as: 'quiet', anchor: 'middle', turned: true }),
    ...names.filter(name => series[name] !== undefined).map(name => seriesOf(name, series[name], x, y))
  ].join('\n')
}

function placesOf (marks, left, right) {
  const step = (right - left) / marks.length
  return mark => left + (marks.indexOf(mark) + 0.5) * step
}

function seriesOf (name, points, x, y) {
  const whiskers = points.filter(({ lower }) => lower !== undefined).map(point => line(x(point.x), y(point.lower), x(point.x), y(point.upper), 'whisker'))
  const dots = points.length > 12 ? [] : points.map(point => `<circle class="${colourOf(name)}" cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="3"/>`)
  const path = points.map(point => `${at(x(point.x))},${at(y(point.y))}`).join(' ')
  return [`<polyline class="line ${colourOf(name)}" points="${path}"/>`, ...whiskers, ...dots].join('\n')
}
