import { resolve } from 'node:path'
import type secureSession from '../../index'

/** The package as its users get it: built, and found by its folder. */
export interface PackageUnderTest {
  readonly folder: string
  readonly plugin: typeof secureSession
}

export const REPOSITORY = resolve(__dirname, '../..')

/** @param folder where the package lies: the repository, or where a tarball was installed */
export function loadPackage (folder: string): PackageUnderTest {
  return { folder, plugin: require(folder) as typeof secureSession }
}
