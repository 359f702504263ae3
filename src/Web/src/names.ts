/** A name as the service takes it, made of any text: `SMA cross, H1` is `sma-cross-h1`. */
export function toName(text: string): string {
  const name = text.toLowerCase().replace(/[^a-z0-9_]+/g, '-').slice(0, 60).replace(/^-+|-+$/g, '');
  return name === '' ? 'strategy' : name;
}

/** The name itself, or the first of name-2, name-3 that nobody has. */
export function freeName(name: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  if (!names.has(name)) return name;
  const stem = name.replace(/-\d{1,4}$/, '');
  for (let number = 2; ; number++) if (!names.has(`${stem}-${number}`)) return `${stem}-${number}`;
}
