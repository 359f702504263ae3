import type { Plugin } from 'vite';

/** What a browser may have to load, compressed, before a page is there; in bytes. */
const most = 300_000;

async function compressed(content: string | Uint8Array): Promise<number> {
  const stream = new Blob([content as BlobPart]).stream().pipeThrough(new CompressionStream('gzip'));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

/**
 * Tells what each page weighs when it is the first that is opened: index.html, its style, the entry and all that the page's module needs.
 * Fails over the limit.
 */
export function weight(): Plugin {
  return {
    name: 'weight',
    apply: 'build',
    async writeBundle(_options, bundle) {
      const sizes = new Map<string, number>();
      for (const [name, file] of Object.entries(bundle)) sizes.set(name, await compressed(file.type === 'chunk' ? file.code : file.source));
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const needs = (name: string, found = new Set<string>()): Set<string> => {
        const chunk = chunks.find(({ fileName }) => fileName === name);
        if (!chunk || found.has(name)) return found;
        found.add(name);
        for (const next of chunk.imports) needs(next, found);
        return found;
      };
      const always = [...sizes.keys()].filter((name) => /\.(css|html)$/.test(name));
      const entry = chunks.find(({ isEntry }) => isEntry)!;
      const pages = chunks.filter(({ isDynamicEntry, facadeModuleId }) => isDynamicEntry && /\/pages\//.test(facadeModuleId ?? '')).map((chunk) => {
        const files = new Set([...always, ...needs(entry.fileName), ...needs(chunk.fileName)]);
        return { page: chunk.name, bytes: [...files].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0) };
      }).sort((a, b) => b.bytes - a.bytes);
      this.info(`first load, gzip: ${pages.map(({ page, bytes }) => `${page} ${Math.ceil(bytes / 1000)} kB`).join(', ')}`);
      const heaviest = pages[0]!;
      if (heaviest.bytes > most) this.error(`${heaviest.page} takes ${heaviest.bytes} bytes to load first, compressed; expected at most ${most}`);
    },
  };
}
