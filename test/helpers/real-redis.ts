/** To be imported before a test file: its Redis is then a real one. */
process.env['TEST_REDIS'] = 'real'
