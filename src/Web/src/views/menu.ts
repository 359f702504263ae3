import type { App } from '../app';
import { h, setHidden, setText } from '../dom';
import { href } from '../routes';
import { openShortcuts } from './shortcuts';

/** What belongs to the person and not to the market: tenant, settings, administration, signing out. */
export function menuView({ store, api, auth, report }: App): HTMLElement {
  const name = h('summary', {});
  const who = h('p', { class: 'hint' });
  const tenants = h('select', {
    'aria-label': 'Tenant',
    onchange: () => void api.enterTenant(tenants.value).then((tokens) => auth.adopt(tokens)).catch((error: unknown) => {
      tenants.value = auth.me?.tenant.id ?? '';
      report(error);
    }),
  });
  const out = h('button', { type: 'button', onclick: () => void auth.signOut().catch(report) }, 'Sign out');
  const settings = h('a', { href: href({ page: 'settings', tab: 'profile' }) }, 'Settings');
  const administration = h('a', { href: href({ page: 'administration', tab: 'members' }) }, 'Administration');
  const element = h('details', { class: 'menu' }, name, h('div', { class: 'menu-body' }, who, tenants, settings, administration,
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
    tenants.replaceChildren(...(me?.tenants ?? []).map((tenant) => h('option', { value: tenant.id, selected: tenant.id === me?.tenant.id }, tenant.name)));
    setHidden(out, !me);
  });
  return element;
}
