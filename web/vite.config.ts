import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// `npm run dev` talks to a running server: `VIGIE_URL=http://127.0.0.1:5000 npm run dev`.
const server = process.env.VIGIE_URL ?? 'http://127.0.0.1:5000';
const proxied = Object.fromEntries(
  ['/api', '/proxy', '/health', '/metrics'].map((path) => [path, { target: server, ws: true, changeOrigin: false }]),
);

export default defineConfig({
  plugins: [react()],
  server: { proxy: proxied },
  build: {
    target: 'es2022',
    sourcemap: false,
    reportCompressedSize: true,
    assetsInlineLimit: 0,
  },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
