import { resolve } from 'node:path'
import type secureSession from '../../index'
import type * as Document from '../../lib/keyring/document'

/** The package as its users get it: built, and found by its folder. */
export interface PackageUnderTest {
  readonly folder: string
  readonly plugin: typeof secureSession
  readonly parseKeyring: typeof Document.parseKeyring
}

export const REPOSITORY = resolve(__dirname, '../..')

/** @param folder where the package lies: the repository, or where a tarball was installed */
export function loadPackage (folder: string): PackageUnderTest {
  return {
    folder,
    plugin: require(folder) as typeof secureSession,
    parseKeyring: (require(resolve(folder, 'dist/lib/keyring/document.js')) as typeof Document).parseKeyring
  }
}
