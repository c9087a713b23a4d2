/** The files whose coverage counts, whatever the test file. */
export default () => ['index.ts', 'lib/**/*.ts', 'types/**/*.ts']
