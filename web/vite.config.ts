import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Puts a packed copy beside every file that gains from it; the server sends what the browser takes. */
function packed(): Plugin {
  let out = 'dist';
  return {
    name: 'packed',
    apply: 'build',
    configResolved: (config) => {
      out = config.build.outDir;
    },
    closeBundle: () => {
      for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(html|js|css|svg|json|webmanifest)$/.test(name)) continue;
        const plain = readFileSync(join(out, name));
        const small = gzipSync(plain, { level: constants.Z_BEST_COMPRESSION });
        if (small.length < plain.length * 0.9) writeFileSync(join(out, `${name}.gz`), small);
      }
    },
  };
}

/** Tells public/early.js where the words are, so that they come together with the scripts. */
function wordsEarly(): Plugin {
  return {
    name: 'words-early',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (html, { bundle }) => {
        const places = Object.values(bundle ?? {}).flatMap((chunk) => {
          const language = chunk.type === 'chunk' && /i18n\/(\w+)\.json$/.exec(chunk.facadeModuleId ?? '')?.[1];
          return language ? [` data-${language}="/${chunk.fileName}"`] : [];
        });
        return html.replace('src="/early.js"', `src="/early.js"${places.join('')}`);
      },
    },
  };
}

// `npm run dev` talks to a running server: `VIGIE_URL=http://127.0.0.1:5000 npm run dev`.
const server = process.env.VIGIE_URL ?? 'http://127.0.0.1:5000';
const proxied = Object.fromEntries(
  ['/api', '/proxy', '/health', '/metrics'].map((path) => [path, { target: server, ws: true, changeOrigin: false }]),
);

export default defineConfig({
  plugins: [react(), wordsEarly(), packed()],
  server: { proxy: proxied },
  build: {
    target: 'es2022',
    sourcemap: false,
    reportCompressedSize: true,
    assetsInlineLimit: 0,
  },
  test: { include: ['test/**/*.test.{ts,tsx}'], environment: 'node' },
});
