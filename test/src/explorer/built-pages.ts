import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** The pages as they are in the sources now, built into a folder of their own. */
export async function buildPages(): Promise<{ folder: string } & Disposable> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-pages-'))
  await build({
    configFile: fileURLToPath(new URL('../../../vite.config.ts', import.meta.url)),
    build: { outDir: folder },
    logLevel: 'error',
  })
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}
