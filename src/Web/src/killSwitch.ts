import type { TenantHalt } from './contract';

/** What somebody can do about a halt of the tenant, by the four-eyes rule: one asks for the release, another, who did not halt either, approves. */
export type ReleaseStep = { step: 'ask' } | { step: 'approve' } | { step: 'wait'; why: string };

/** @param me The user's id; null where there is no sign-in. */
export function releaseStep({ by, member, release }: TenantHalt, me: string | null, mayRelease: boolean, now: number): ReleaseStep {
  const pending = release !== null && now < Date.parse(release.until);
  if (!mayRelease) return { step: 'wait', why: 'Who may release is an owner or a compliance officer.' };
  if (member !== null && member === me) return { step: 'wait', why: 'You are the one who is halted: others decide.' };
  if (!pending) return { step: 'ask' };
  if (release.by === me) return { step: 'wait', why: 'You have asked for the release: another has to approve it.' };
  if (by === me) return { step: 'wait', why: 'You have halted: another has to approve the release.' };
  return { step: 'approve' };
}
