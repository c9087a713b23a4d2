'use strict'

require('./compile').compileAll()
