/** The options of all openers: the name and attributes of the legacy cookie, and whether it is kept. */
export const SHARED_OPTION_NAMES = ['cookieName', 'cookie', 'keep']
