import { expect, it } from 'vitest';
import { Chain } from '../src/chain';

it('takes pushes that go on where the last one ended, however far apart they are', () => {
  const chain = new Chain();
  chain.begin(10);
  expect([chain.take({ after: 10, sequence: 14 }), chain.take({ after: 14, sequence: 90 })]).toEqual(['next', 'next']);
  expect(chain.seen).toBe(90);
});

it('sees a hole and stands still before it until what is missing has come', () => {
  const chain = new Chain();
  chain.begin(10);
  expect([chain.take({ after: 12, sequence: 14 }), chain.take({ after: 14, sequence: 15 })]).toEqual(['hole', 'hole']);
  expect(chain.seen).toBe(10);
  expect(chain.take({ after: 10, sequence: 15 })).toBe('next');
  expect(chain.take({ after: 15, sequence: 16 })).toBe('next');
});

it('knows what it has seen', () => {
  const chain = new Chain();
  chain.begin(10);
  chain.take({ after: 10, sequence: 14 });
  expect([chain.take({ after: 10, sequence: 14 }), chain.take({ after: 3, sequence: 9 })]).toEqual(['old', 'old']);
  expect(chain.seen).toBe(14);
});

it('may be pushed to before it is told where it begins', () => {
  const chain = new Chain();
  expect(chain.seen).toBeNull();
  expect(chain.take({ after: 10, sequence: 14 })).toBe('next');
  chain.begin(10);
  expect(chain.seen).toBe(14);
});

it('goes back where the service says so: its journal is another', () => {
  const chain = new Chain();
  chain.begin(1000);
  chain.restart(7);
  expect(chain.take({ after: 7, sequence: 8 })).toBe('next');
});
