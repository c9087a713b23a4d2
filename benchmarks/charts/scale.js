'use strict'

/** Round marks from at or below `least` to at or above `most`, `count` or so of them. */
function ticks (least, most, count = 4) {
  const step = roundStep((most - least || Math.abs(most) || 1) / count)
  const first = Math.floor(least / step + 1e-9)
  const last = Math.ceil(most / step - 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
}

/** 1, 2 or 5 times a power of ten. */
function roundStep (step) {
  const power = 10 ** Math.floor(Math.log10(step))
  return power * [1, 2, 5, 10].find(factor => factor * power >= step * (1 - 1e-9))
}

/** From values between the first and the last mark to pixels. */
function scale (marks, from, to) {
  const least = marks[0]
  const most = marks.at(-1)
  return value => from + (value - least) / (most - least) * (to - from)
}

function label (value) {
  return Number(value.toPrecision(6)).toLocaleString('en-US')
}

module.exports = { label, scale, ticks }
