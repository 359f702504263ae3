import type { App } from '../app';
import { h, setHidden, setText } from '../dom';
import { href } from '../routes';
import { setViewedMember } from '../viewed';
import { openShortcuts } from './shortcuts';

/** What belongs to the person and not to the market: tenant, settings, administration, signing out. */
export function menuView({ store, api, auth, report }: App): { element: HTMLElement; viewing: HTMLElement } {
  /** Says whose things are shown, where they are not one's own. */
  const whose = h('span', {}, 'You look at what another member has, read every 5 s; nothing of it can be changed.');
  const back = h('button', { type: 'button', onclick: () => look('') }, 'Back to my own');
  const viewing = h('div', { class: 'lost line', hidden: true }, whose, back);
  const name = h('summary', {});
  const who = h('p', { class: 'hint' });
  const tenants = h('select', {
    'aria-label': 'Tenant',
    onchange: () => void api.enterTenant(tenants.value).then((tokens) => auth.adopt(tokens)).catch((error: unknown) => {
      tenants.value = auth.me?.tenant.id ?? '';
      report(error);
    }),
  });
  const look = (user: string) => {
    setViewedMember(user);
    location.reload();
  };
  const members = h('select', { 'aria-label': 'Look at', onchange: () => look(members.value) });
  let asked = false;
  const readMembers = async () => {
    const all = await api.members();
    const me = auth.me?.id ?? '';
    members.replaceChildren(h('option', { value: '', selected: auth.viewed === '' }, 'My own'),
      ...all.filter(({ user }) => user !== me).map((member) =>
      h('option', { value: member.user, selected: member.user === auth.viewed }, `Of ${member.name || member.email}`)));
    const viewed = all.find(({ user }) => user === auth.viewed);
    if (viewed) setText(whose, `You look at what ${viewed.name || viewed.email} has, read every 5 s; nothing of it can be changed.`);
  };
  const out = h('button', { type: 'button', onclick: () => void auth.signOut().catch(report) }, 'Sign out');
  const settings = h('a', { href: href({ page: 'settings', tab: 'profile' }) }, 'Settings');
  const administration = h('a', { href: href({ page: 'administration', tab: 'members' }) }, 'Administration');
  const element = h('details', { class: 'menu' }, name, h('div', { class: 'menu-body' }, who, tenants, members, settings, administration,
    h('button', { type: 'button', onclick: () => openShortcuts() }, 'Shortcuts'), out));

  const close = () => (element.open = false);
  element.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !element.contains(relatedTarget)) close();
  });
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return;
    close();
    name.focus();
  });
  addEventListener('pointerdown', ({ target }) => {
    if (target instanceof Node && !element.contains(target)) close();
  });
  store.view(['route'], close);
  store.view(['auth'], () => {
    const { me } = auth;
    setHidden(element, !auth.isIn);
    setText(name, me ? me.name || me.email : 'Menu');
    setText(who, me ? `${me.email} · ${me.tenant.name}` : 'This service is used without sign-in, by whoever sits at its machine.');
    setHidden(tenants, (me?.tenants.length ?? 0) < 2);
    tenants.replaceChildren(...(me?.tenants ?? []).map((tenant) => h('option', { value: tenant.id, selected: tenant.id === me?.tenant.id },
      tenant.name)));
    setHidden(out, !me);
    setHidden(members, !me || !auth.may('ReadTenant'));
    setHidden(viewing, !auth.isIn || auth.viewed === '');
    if (asked || !me || !auth.may('ReadTenant')) return;
    asked = true;
    readMembers().catch(() => (asked = false));
  });
  return { element, viewing };
}
