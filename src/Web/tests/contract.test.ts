import { describe, expect, it } from 'vitest';
import { chartFrames } from '../src/contract';

describe('the chart offers what the data allow', () => {
  it.each([
    [undefined, 'M1 M5 M15 H1'],
    ['tick', 'M1 M5 M15 H1'],
    ['H1', 'H1 H4 D1 W1'],
    ['D1', 'D1 W1 MN1'],
    ['M30', 'M30 H1 H4 D1'],
    ['S30', 'S30 M1 M5 M15'],
  ])('%s', (data, frames) => expect(chartFrames(data).join(' ')).toBe(frames));
});
