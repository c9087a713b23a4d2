import { PluginKind, declareValuePlugin } from '@stryker-mutator/api/plugin'

const PLAIN_WORDS = /[a-z] [a-z]/i

/** Leaves out messages in plain words: tests assert the code of an error, and what a message names. */
const messages = {
  shouldIgnore ({ node }) {
    const text = node.type === 'TemplateLiteral' ? node.quasis.map(({ value }) => value.raw).join('') : node.value
    return typeof text === 'string' && PLAIN_WORDS.test(text) ? 'a message in plain words' : undefined
  }
}

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'messages', messages)]
