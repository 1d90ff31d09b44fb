import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const explorer = (path: string) => fileURLToPath(new URL(`src/explorer/${path}`, import.meta.url))

/** `vite build`: the explorer's two pages into dist/explorer, from where the coordinator serves them. */
export default defineConfig({
  root: explorer(''),
  resolve: {
    alias: {
      'node:assert/strict': explorer('node/assert.ts'),
      'node:assert': explorer('node/assert.ts'),
      'node:crypto': explorer('node/crypto.ts'),
    },
  },
  build: {
    outDir: fileURLToPath(new URL('dist/explorer', import.meta.url)),
    emptyOutDir: true,
    target: 'es2023',
    // A data: URI would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: { index: explorer('index.html'), verify: explorer('verify.html') },
      transform: { inject: { Buffer: [explorer('node/buffer.ts'), 'Buffer'] } },
    },
  },
})
