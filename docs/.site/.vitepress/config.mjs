import { linksInSite } from '../links.mjs'
import { navigation } from '../navigation.mjs'
import { slugOf } from '../slug.js'

export default {
  title: 'fastify-sealed-session',
  description: 'Encrypted cookie sessions for Fastify 5',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: 'built/pages',
  outDir: 'built/html',
  cacheDir: 'built/cache',
  // The index of the search has the text of all pages.
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  markdown: {
    anchor: { slugify: slugOf },
    attrs: { disable: true },
    config (md) {
      md.linkify.set({ fuzzyLink: false, fuzzyEmail: false })
      md.use(linksInSite)
    }
  },
  transformPageData (page) {
    // Of the reference, with the members.
    if (page.relativePath.startsWith('api/')) page.frontmatter.outline = [2, 4]
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    externalLinkIcon: true,
    sidebar: navigation(),
    nav: [
      { text: 'Options', link: '/options' },
      { text: 'Errors', link: '/errors' },
      { text: 'API', link: '/api/' },
      { text: 'Security', link: '/security' },
      { text: 'Changelog', link: '/changelog' }
    ]
  }
}
