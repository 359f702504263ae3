import { expect, it } from 'vitest';
import library from '../node_modules/lightweight-charts/dist/lightweight-charts.production.mjs?raw';
import { attributionStyleHash, contentSecurityPolicy } from '../csp.ts';
import index from '../index.html?raw';
import { backOff } from '../src/hub';

it('the policy allows the one inline style, as the library has it', async () => {
  const style = /createElement\("style"\).{0,40}?innerText="([^"]+)"/.exec(library)?.[1];
  expect(style).toContain('tv-attr-logo');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style)));
  expect(attributionStyleHash).toBe(`sha256-${btoa(String.fromCharCode(...digest))}`);
});

it('the page has no inline script or style, and the policy allows none', () => {
  expect(index).not.toMatch(/<script(?![^>]*\ssrc=)/);
  expect(index).not.toMatch(/<style|\sstyle=|\son[a-z]+=/);
  expect(contentSecurityPolicy).not.toContain('unsafe');
});

it('what is framed comes from the service itself', () => {
  expect(contentSecurityPolicy).toContain("frame-src 'self'");
});

it('the back-off doubles, is bounded, and leaves half to chance', () => {
  expect([0, 1, 2, 3, 4, 100].map((attempt) => backOff(attempt, 1))).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
  expect(backOff(3, 0)).toBe(2000);
});
