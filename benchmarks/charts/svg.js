'use strict'

/** The colours of what is measured, on white and on black. Ours is the one that stands out. */
const COLOURS = {
  sealed: ['#1f883d', '#3fb950'],
  'sealed, hit': ['#1f883d', '#3fb950'],
  'sealed, miss': ['#0a7ea4', '#39c5cf'],
  'sealed, no cache': ['#54aeff', '#79c0ff'],
  'sealed, keyring': ['#0a7ea4', '#39c5cf'],
  peer: ['#bc4c00', '#f0883e'],
  floor: ['#6e7781', '#8b949e'],
  jose: ['#0969da', '#58a6ff'],
  'iron-session': ['#8250df', '#bc8cff'],
  h3: ['#bf3989', '#f778ba'],
  'session, memory': ['#9a6700', '#d29922'],
  'session, Redis': ['#a40e26', '#ff7b72'],
  other: ['#57606a', '#9198a1']
}

/** The class of a colour; `other` where it has none. */
function colourOf (name, colours = COLOURS) {
  return `c-${Object.keys(colours).indexOf(name in colours ? name : 'other')}`
}

/** A whole picture on a ground of its own, so that it can be read on any page. `colours`: on white and on black, by name. */
function picture ({ width, height, title, description, body, colours = COLOURS }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif" font-size="13">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(description)}</desc>
<style>
.ground { fill: #ffffff; stroke: #d0d7de }
text { fill: #1f2328 }
.quiet { fill: #59636e; font-size: 12px }
.heading { font-weight: 600 }
.grid { stroke: #d8dee4 }
.axis { stroke: #8c959f }
.whisker { stroke: #1f2328; stroke-width: 1.2 }
.line { fill: none; stroke-width: 2 }
.part { stroke: #ffffff }
.inside { fill: #ffffff; font-size: 12px }
${rules(colours, 0)}
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117; stroke: #3d444d }
text { fill: #f0f6fc }
.quiet { fill: #9198a1 }
.grid { stroke: #2a313c }
.axis { stroke: #656c76 }
.whisker { stroke: #f0f6fc }
.part { stroke: #0d1117 }
.inside { fill: #0d1117 }
${rules(colours, 1)}
}
</style>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>
${text(16, 26, title, { as: 'heading' })}
${body}
</svg>
`
}

function rules (colours, theme) {
  return Object.keys(colours).map(name => {
    const colour = colours[name][theme]
    return `.${colourOf(name, colours)} { fill: ${colour} } .line.${colourOf(name, colours)} { fill: none; stroke: ${colour} }`
  }).join('\n')
}

function text (x, y, content, { as = '', anchor = 'start', turned = false } = {}) {
  const turn = turned ? ` transform="rotate(-90 ${at(x)} ${at(y)})"` : ''
  return `<text x="${at(x)}" y="${at(y)}"${as === '' ? '' : ` class="${as}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}${turn}>${escaped(content)}</text>`
}

function line (x1, y1, x2, y2, kind) {
  return `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`
}

/** Tenths of a pixel are as fine as anybody sees. */
function at (value) {
  return Math.round(value * 10) / 10
}

function escaped (content) {
  return String(content).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

module.exports = { at, colourOf, line, picture, text }
