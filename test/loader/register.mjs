import { register } from 'node:module'
import './typescript.js'

register('./hooks.mjs', import.meta.url)
