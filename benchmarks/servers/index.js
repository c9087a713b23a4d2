'use strict'

/** What is measured, by name. The second baseline is the control: what differs between the two is noise. */
module.exports = {
  baseline: require.resolve('./baseline'),
  'baseline again': require.resolve('./baseline'),
  floor: require.resolve('./floor'),
  peer: require.resolve('./peer'),
  sealed: require.resolve('./sealed')
}
