import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';
import { contentSecurityPolicy } from './csp.ts';
import { weight } from './weight.ts';

// `npm run dev` talks to a running service; HYBRID_API moves it, for example to another port offset.
const api = loadEnv('', '.', 'HYBRID_')['HYBRID_API'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  build: {
    target: 'es2022',
    // The first browsers with light-dark(), which the two themes are written with.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      // The service takes requests of its own pages alone.
      '/api': { target: api, changeOrigin: true, headers: { Origin: api } },
      '/hubs': { target: api, changeOrigin: true, headers: { Origin: api }, ws: true },
    },
  },
  // Tests read the colours of style.css.
  test: { css: true },
  plugins: [
    weight(),
    {
      name: 'content-security-policy',
      apply: 'build',
      transformIndexHtml: () => [
        { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy }, injectTo: 'head-prepend' },
      ],
    },
  ],
});
