/**
 * QR codes after ISO/IEC 18004, as far as a link to an authenticator needs them: bytes, error correction level M, versions 1 to 15.
 */

/** Of level M by version (table 9): error correction codewords a block, then [count, data codewords] of the one or two kinds of block. */
const blocks: readonly (readonly [correction: number, ...kinds: (readonly [count: number, data: number])[]])[] = [
  [10, [1, 16]], [16, [1, 28]], [26, [1, 44]], [18, [2, 32]], [24, [2, 43]],
  [16, [4, 27]], [18, [4, 31]], [22, [2, 38], [2, 39]], [22, [3, 36], [2, 37]], [26, [4, 43], [1, 44]],
  [30, [1, 50], [4, 51]], [22, [6, 36], [2, 37]], [22, [8, 37], [1, 38]], [24, [4, 40], [5, 41]], [24, [5, 41], [5, 42]],
];

/** Centres of the alignment patterns by version (annex E). */
const alignments: readonly (readonly number[])[] = [
  [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50],
  [6, 30, 54], [6, 32, 58], [6, 34, 62], [6, 26, 46, 66], [6, 26, 48, 70],
];

/** Powers of the generator of GF(256) with x^8 + x^4 + x^3 + x^2 + 1, and their logarithms. */
const powers: number[] = [];
const logarithms: number[] = [];
for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  powers[exponent] = value;
  logarithms[value] = exponent;
  value <<= 1;
  if (value > 255) value ^= 0x11d;
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : powers[(logarithms[a]! + logarithms[b]!) % 255]!;
}

/** The Reed-Solomon codewords of a block. */
export function correction(data: readonly number[], count: number): number[] {
  let generator = [1];
  for (let root = 0; root < count; root++) {
    const next = [...generator, 0];
    generator.forEach((factor, index) => (next[index + 1]! ^= multiply(factor, powers[root]!)));
    generator = next;
  }
  const rest = [...data, ...new Array<number>(count).fill(0)];
  for (let index = 0; index < data.length; index++) {
    const lead = rest[index]!;
    if (lead !== 0) generator.forEach((factor, offset) => (rest[index + offset]! ^= multiply(factor, lead)));
  }
  return rest.slice(data.length);
}

/** Data and error correction of a text, in the order in which the symbol holds them, and the version that takes them. */
function codewords(bytes: Uint8Array): { version: number; words: number[] } {
  const version = blocks.findIndex(([, ...kinds], index) => {
    const capacity = kinds.reduce((sum, [count, data]) => sum + count * data, 0);
    return bytes.length + (index + 1 > 9 ? 3 : 2) <= capacity;
  }) + 1;
  if (version === 0) throw new RangeError(`${bytes.length} bytes are too many for a QR code; expected at most 412`);
  const [perBlock, ...kinds] = blocks[version - 1]!;
  const capacity = kinds.reduce((sum, [count, data]) => sum + count * data, 0);

  const bits: number[] = [];
  const put = (value: number, length: number) => {
    for (let bit = length - 1; bit >= 0; bit--) bits.push((value >>> bit) & 1);
  };
  put(0b0100, 4);
  put(bytes.length, version > 9 ? 16 : 8);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, capacity * 8 - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  const data: number[] = [];
  for (let at = 0; at < bits.length; at += 8) data.push(bits.slice(at, at + 8).reduce((byte, bit) => byte * 2 + bit, 0));
  for (let pad = 0xec; data.length < capacity; pad ^= 0xec ^ 0x11) data.push(pad);

  const parts: number[][] = [];
  let at = 0;
  for (const [count, length] of kinds) for (let index = 0; index < count; index++) parts.push(data.slice(at, (at += length)));
  const corrections = parts.map((part) => correction(part, perBlock));
  const interleave = (lists: readonly number[][]) => {
    const longest = Math.max(...lists.map((list) => list.length));
    return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => (index < list.length ? [list[index]!] : []))).flat();
  };
  return { version, words: [...interleave(parts), ...interleave(corrections)] };
}

const masks: readonly ((row: number, column: number) => boolean)[] = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/** The remainder of a BCH code: `value` shifted by `length` bits, modulo the generator. */
function remainder(value: number, generator: number, length: number): number {
  let rest = value << length;
  for (let bit = 31 - Math.clz32(rest); bit >= length; bit = 31 - Math.clz32(rest)) rest ^= generator << (bit - length);
  return rest;
}

/** The symbol: rows of modules, true for dark, without its quiet zone. */
export function qrCode(text: string): boolean[][] {
  const { version, words } = codewords(new TextEncoder().encode(text));
  const size = 17 + 4 * version;
  const modules = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  const fixed = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  const set = (row: number, column: number, dark: boolean) => {
    if (row < 0 || column < 0 || row >= size || column >= size) return;
    modules[row]![column] = dark;
    fixed[row]![column] = true;
  };

  const ring = (row: number, column: number, radius: number, dark: (distance: number) => boolean) => {
    for (let y = -radius; y <= radius; y++) for (let x = -radius; x <= radius; x++) set(row + y, column + x,
      dark(Math.max(Math.abs(x), Math.abs(y))));
  };
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]] as const) ring(row, column, 4, (distance) => distance !== 2 && distance !== 4);
  const centres = alignments[version - 1]!;
  const last = centres.length - 1;
  centres.forEach((row, y) => centres.forEach((column, x) => {
    const isFinder = (x === 0 && y === 0) || (x === 0 && y === last) || (x === last && y === 0);
    if (!isFinder) ring(row, column, 2, (distance) => distance !== 1);
  }));
  for (let at = 8; at < size - 8; at++) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  const format = (mask: number) => {
    // Level M is 00.
    const bits = ((mask << 10) | remainder(mask, 0x537, 10)) ^ 0x5412;
    for (let bit = 0; bit < 15; bit++) {
      const dark = ((bits >> bit) & 1) === 1;
      const near = bit < 6 ? bit : bit < 8 ? bit + 1 : -1;
      if (near >= 0) set(near, 8, dark);
      else set(8, bit === 8 ? 7 : 14 - bit, dark);
      if (bit < 8) set(8, size - 1 - bit, dark);
      else set(size - 15 + bit, 8, dark);
    }
    set(size - 8, 8, true);
  };
  format(0);
  if (version >= 7) {
    const bits = (version << 12) | remainder(version, 0x1f25, 12);
    for (let bit = 0; bit < 18; bit++) {
      const dark = ((bits >> bit) & 1) === 1;
      const [short, long] = [Math.floor(bit / 3), size - 11 + (bit % 3)];
      set(short, long, dark);
      set(long, short, dark);
    }
  }

  // Two columns at a time from the right, up and down by turns; the column of the timing pattern is left out.
  let bit = 0;
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right--;
    for (let step = 0; step < size; step++) {
      const row = up ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (fixed[row]![column]) continue;
        modules[row]![column] = bit < words.length * 8 && ((words[bit >> 3]! >> (7 - (bit & 7))) & 1) === 1;
        bit++;
      }
    }
  }

  const masked = (mask: number) => {
    format(mask);
    return modules.map((line, row) => line.map((dark, column) => dark !== (!fixed[row]![column] && masks[mask]!(row, column))));
  };
  const best = masks.map((_, mask) => ({ mask, penalty: penalty(masked(mask)) })).reduce((a, b) => (b.penalty < a.penalty ? b : a));
  return masked(best.mask);
}

/** How hard a symbol is to read (7.8.3): runs, blocks, what looks like a finder, and the balance of dark and light. */
export function penalty(modules: readonly (readonly boolean[])[]): number {
  const size = modules.length;
  const lines = [...modules, ...modules.map((_, column) => modules.map((line) => line[column]!))];
  let sum = 0;
  for (const line of lines) {
    for (let start = 0, at = 1; at <= size; at++) {
      if (at < size && line[at] === line[start]) continue;
      if (at - start >= 5) sum += 3 + at - start - 5;
      start = at;
    }
    const text = line.map((dark) => (dark ? '1' : '0')).join('');
    for (const pattern of ['10111010000', '00001011101']) for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1)) sum += 40;
  }
  for (let row = 1; row < size; row++) {
    for (let column = 1; column < size; column++) {
      const dark = modules[row]![column];
      if (modules[row - 1]![column] === dark && modules[row]![column - 1] === dark && modules[row - 1]![column - 1] === dark) sum += 3;
    }
  }
  const share = (modules.flat().filter(Boolean).length / (size * size)) * 100;
  return sum + Math.floor(Math.abs(share - 50) / 5) * 10;
}

/** As a drawing: always dark on light, as readers expect it, with its quiet zone. */
export function qrDrawing(text: string, label: string): SVGSVGElement {
  const modules = qrCode(text);
  const size = modules.length + 8;
  const element = (name: string, attributes: Record<string, string>) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const path = modules.flatMap((line, row) => line.flatMap((dark, column) => (dark ? [`M${column + 4} ${row + 4}h1v1h-1z`] : []))).join('');
  const svg = element('svg', { viewBox: `0 0 ${size} ${size}`, class: 'qr', role: 'img', 'aria-label': label,
    'shape-rendering': 'crispEdges' }) as SVGSVGElement;
  svg.append(element('rect', { width: String(size), height: String(size), fill: '#ffffff' }), element('path', { d: path, fill: '#000000' }));
  return svg;
}
