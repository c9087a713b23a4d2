/** The options that all openers have: where the old cookie lies, and what becomes of it. */
export const SHARED_OPTION_NAMES = ['cookieName', 'cookie', 'keep']
