import { describe, expect, it } from 'vitest';
import { changesOf } from '../src/reviews';

describe('what a proposal changes', () => {
  it('names what differs, before and after, and nothing else', () =>
    expect(changesOf({ fast: 9, slow: 40, units: 10000 }, { fast: 7, slow: 40, units: 10000 })).toEqual(['fast 9 → 7']));
  it('tells a parameter that was not there', () => expect(changesOf({}, { width: 1.5 })).toEqual(['width – → 1.5']));
  it('is nothing where nothing changes', () => expect(changesOf({ fast: 1 }, { fast: 1 })).toEqual([]));
});
