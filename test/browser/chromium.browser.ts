import { testAllIn } from './browsers'

testAllIn('Chromium')
