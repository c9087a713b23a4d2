import { join } from 'node:path'
import ts from 'typescript'

/**
 * What the compiler says of a project, as `tsc -p` prints it. The declarations of Node.js and of the language are not
 * checked themselves: that takes as long as all else.
 *
 * @param folder with the project's `tsconfig.json`
 */
export function compilerErrors (folder: string): string[] {
  const { options, fileNames, errors } = configOf(folder)
  const host = ts.createCompilerHost(options)
  host.getSourceFile = (fileName, language) => parsed(host, fileName, language as ts.CreateSourceFileOptions)
  const program = ts.createProgram({ rootNames: fileNames, options, host, configFileParsingDiagnostics: errors })
  const skipLibCheck = options.skipLibCheck === true
  const diagnostics = [
    ...program.getConfigFileParsingDiagnostics(), ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(),
    ...program.getSourceFiles().filter(file => isChecked(file, skipLibCheck)).flatMap(file => {
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    })
  ]
  return ts.sortAndDeduplicateDiagnostics(diagnostics).map(diagnostic => ts.formatDiagnostic(diagnostic, {
    getCanonicalFileName: name => name, getCurrentDirectory: () => folder, getNewLine: () => '\n'
  }).trim())
}

function configOf (folder: string): ts.ParsedCommandLine {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), path => ts.sys.readFile(path))
  return ts.parseJsonConfigFileContent(config, ts.sys, folder)
}

function isChecked ({ fileName, isDeclarationFile }: ts.SourceFile, skipLibCheck: boolean): boolean {
  if (!isDeclarationFile) return true
  return !skipLibCheck && !/\/node_modules\/(?:typescript|@types\/node|undici-types)\//.test(fileName)
}

const files = new Map<string, ts.SourceFile | undefined>()

/** The declarations of packages are parsed once for all projects of this process. */
function parsed (host: ts.CompilerHost, fileName: string, language: ts.CreateSourceFileOptions): ts.SourceFile | undefined {
  const { languageVersion, impliedNodeFormat } = language
  const parse = (): ts.SourceFile | undefined => {
    const text = host.readFile(fileName)
    return text === undefined ? undefined : ts.createSourceFile(fileName, text, language)
  }
  if (!fileName.includes('/node_modules/')) return parse()
  const key = `${fileName} ${languageVersion} ${impliedNodeFormat}`
  if (!files.has(key)) files.set(key, parse())
  return files.get(key)
}
