import { expect, it } from 'vitest';
import page from '../../Api/Reports/Page.cs?raw';
import { contentSecurityPolicy, sheetScriptHash, sheetStyleHash } from '../csp';

/** The text of a raw string constant of C#, without the indent of its closing quotes. */
function constant(source: string, name: string): string {
  const [, text = '', indent = ''] = new RegExp(`const string ${name} = """\\n([\\s\\S]*?)\\n( *)""";`).exec(source) ?? [];
  return text.split('\n').map((line) => line.slice(indent.length)).join('\n');
}

it.each([['Style', sheetStyleHash], ['Script', sheetScriptHash]])('the %s of the tear sheets is the one that the policy allows',
  async (name, hash) => {
  const text = constant(page.replaceAll('\r\n', '\n'), name);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  expect(`sha256-${btoa(String.fromCharCode(...digest))}`).toBe(hash);
});

it('nothing inline runs or styles but what is named by its hash', () => expect(contentSecurityPolicy).not.toMatch(/unsafe|\*|https?:/));
