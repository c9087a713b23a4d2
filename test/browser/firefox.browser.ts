import { testAllIn } from './browsers'

testAllIn('Firefox')
