'use strict'

/**
 * The anchor of a heading, as code hosts make it: a link to it works there and in the site.
 * @param {string} text of the heading, without marks of Markdown
 */
exports.slugOf = text => text.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-')
