import { describe, expect, it } from 'vitest';
import type { TenantHalt } from '../src/contract';
import { releaseStep } from '../src/killSwitch';

const now = Date.parse('2026-01-05T10:00:00Z');
const asked = { by: 'bob', at: '2026-01-05T09:55:00Z', why: 'all clear', until: '2026-01-05T10:10:00Z' };
const halt = (parts: Partial<TenantHalt> = {}): TenantHalt => ({ number: 1, member: null, flatten: false, by: 'ada', at: '', why: '', release: null,
  ...parts });

describe('a halt of the tenant', () => {
  it.each<[string, TenantHalt, string | null, string]>([
    ['whoever may release asks, who halted too', halt(), 'ada', 'ask'],
    ['another than who asked and who halted approves', halt({ release: asked }), 'eve', 'approve'],
    ['who asked waits', halt({ release: asked }), 'bob', 'wait'],
    ['who halted waits', halt({ release: asked }), 'ada', 'wait'],
    ['who is halted has no say', halt({ member: 'eve' }), 'eve', 'wait'],
    ['a request that has run out is asked anew', halt({ release: { ...asked, until: '2026-01-05T10:00:00Z' } }), 'eve', 'ask'],
  ])('%s', (_, one, me, step) => expect(releaseStep(one, me, true, now).step).toBe(step));

  it('is released by nobody without the right', () => expect(releaseStep(halt({ release: asked }), 'eve', false, now).step).toBe('wait'));
});
