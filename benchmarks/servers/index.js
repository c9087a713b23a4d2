'use strict'

/**
 * What is measured, by name. `tagAt` is where the token has its authentication tag; the baselines have no session.
 * The second baseline is the control: what differs between the two is noise.
 */
module.exports = [
  { name: 'baseline', path: require.resolve('./baseline'), tagAt: null },
  { name: 'baseline again', path: require.resolve('./baseline'), tagAt: null },
  { name: 'floor', path: require.resolve('./floor'), tagAt: 'end' },
  { name: 'peer', path: require.resolve('./peer'), tagAt: 'start' },
  { name: 'sealed', path: require.resolve('./sealed'), tagAt: 'end' }
]
