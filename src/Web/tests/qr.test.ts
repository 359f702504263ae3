import { describe, expect, it } from 'vitest';
import { correction, penalty, qrCode } from '../src/qr';

it('the error correction of a block is that of the textbook example (HELLO WORLD, 1-M)', () => {
  const data = [32, 91, 11, 120, 209, 114, 220, 77, 67, 64, 236, 17, 236, 17, 236, 17];
  expect(correction(data, 10)).toEqual([196, 35, 39, 119, 235, 215, 231, 226, 93, 23]);
});

// This symbol was read back by a reader of another make, as were texts of every length from 1 byte to version 15.
const known = `
#######.....#.#....##.#######
#.....#......#.##...#.#.....#
#.###.#.#####.#...#.#.#.###.#
#.###.#.#..##.#..##...#.###.#
#.###.#.##.##.####.##.#.###.#
#.....#.#.###..#......#.....#
#######.#.#.#.#.#.#.#.#######
........###.#..#...#.........
#.#####...###.###...#.#####..
#..#.#.#.##.#########.###..##
.#....#####....#.##.#..#.#...
.#..##..#..##..#..##.#.#.#.#.
.##...##.#..#.#..........###.
#.#.#...##..#.###.###.####..#
##.#####.###...####.##..##...
.##..#.##.###..##.#.##.###.#.
.##.###........#.....#.#.##..
#.#.#..#.##.##.##..#######..#
#.###.##..#..###.##.#.##.....
#..#.#.##.##.#.#...#..##.#..#
#.#####.####..###...#####.#.#
........#.#....##..##...#.###
#######...#.#..#.#.##.#.#....
#.....#.#.###.###..##...#..#.
#.###.#.####...#....#########
#.###.#.##.#.#####.##.....###
#.###.#.####.#.##.#####.#.##.
#.....#..#...##....###.#...#.
#######.#..########....#..#..
`;

it('a link becomes the symbol that readers understand', () => {
  const drawn = qrCode('otpauth://totp/a?secret=JBSWY3DPEHPK3PXP').map((row) => row.map((dark) => (dark ? '#' : '.')).join('')).join('\n');
  expect(drawn).toBe(known.trim());
});

describe('the symbol', () => {
  it.each([[1, 21], [14, 21], [15, 25], [106, 41], [122, 45], [152, 49], [180, 53], [181, 57], [412, 77]])('of %d bytes has %d modules a side',
    (length, size) =>
    expect(qrCode('x'.repeat(length))).toHaveLength(size));

  it('says its level and mask: one of the format words of level M, twice alike', () => {
    const words = ['101010000010010', '101000100100101', '101111001111100', '101101101001011', '100010111111001', '100000011001110',
      '100111110010111', '100101010100000'];
    const modules = qrCode('otpauth://totp/HybridTrading:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=HybridTrading');
    const size = modules.length;
    const bit = (row: number, column: number) => (modules[row]![column] ? '1' : '0');
    const beside = [0, 1, 2, 3, 4, 5, 7, 8].map((column) => bit(8, column)).join('') + [7, 5, 4, 3, 2, 1, 0].map((row) => bit(row, 8)).join('');
    const below = [1, 2, 3, 4, 5, 6, 7].map((up) => bit(size - up, 8)).join('') + [8, 7, 6, 5, 4, 3, 2, 1].map((left) =>
      bit(8, size - left)).join('');
    expect(words).toContain(beside);
    expect(below).toBe(beside);
  });

  it('says its version from the seventh on', () => {
    const modules = qrCode('x'.repeat(110));
    const size = modules.length;
    const bits = Array.from({ length: 18 }, (_, at) => (modules[Math.floor((17 - at) / 3)]![size - 11 + ((17 - at) % 3)] ? '1' : '0')).join('');
    expect([size, bits]).toEqual([45, '000111110010010100']);
  });

  it('is refused what does not fit', () => expect(() => qrCode('x'.repeat(413))).toThrow('413 bytes'));
});

it('what is hard to read costs more', () => {
  const all = Array.from({ length: 21 }, () => new Array<boolean>(21).fill(true));
  const checks = Array.from({ length: 21 }, (_, row) => Array.from({ length: 21 }, (_, column) => (row + column) % 2 === 0));
  expect(penalty(all)).toBeGreaterThan(1000);
  expect(penalty(checks)).toBe(0);
});
