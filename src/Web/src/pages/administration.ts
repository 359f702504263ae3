import type { App } from '../app';
import { memberRoles, type Invitation, type Member, type Permission, type Role, type User } from '../contract';
import { h, panel } from '../dom';
import * as format from '../format';
import type { PageFactory } from '../page';
import { administrationTabs, type AdministrationTab, type Route } from '../routes';
import { clientsView } from '../views/clients';
import { ask, field, openForm, textInput } from '../views/dialogs';
import { grid } from '../views/grid';
import { during, load } from '../views/load';
import { removeButton } from '../views/removal';
import { servicesView, systemViews } from '../views/system';
import { tabs } from '../views/tabs';

const entries: Record<AdministrationTab, { text: string; needs: Permission }> = {
  members: { text: 'Members', needs: 'ReadTenant' },
  clients: { text: 'Clients', needs: 'ManageClients' },
  users: { text: 'Users', needs: 'Administer' },
  services: { text: 'Services and ports', needs: 'Operate' },
  system: { text: 'System', needs: 'Operate' },
};

/** Who belongs to the tenant, who uses the installation, and how it does. */
export const page: PageFactory = (app, route, signal) => {
  const { auth } = app;
  const tab: AdministrationTab = route.page === 'administration' ? route.tab : 'members';
  const to = (each: AdministrationTab): Route => ({ page: 'administration', tab: each });
  const may = administrationTabs.filter((each) => auth.may(entries[each].needs));
  return h('main', { class: 'page' },
    tabs('Administration', may.map((each) => ({ text: entries[each].text, route: to(each) })), to(tab)),
    h('div', { class: 'column' }, ...(may.includes(tab) ? content(app, tab, signal) : [refused(entries[tab].needs)])));
};

function refused(needs: Permission): HTMLElement {
  const { element, body } = panel('refused', 'Not for you to see');
  body.append(h('p', { class: 'pad' }, `This needs the permission "${format.words(needs)}", which your roles do not give you.`));
  return element;
}

function content(app: App, tab: AdministrationTab, signal: AbortSignal): HTMLElement[] {
  switch (tab) {
    case 'members':
      if (app.auth.me === null) return [withoutSignIn()];
      return [membersView(app, signal), ...(app.auth.may('ManageMembers') ? [invitationsView(app, signal)] : [])];
    case 'clients':
      return app.auth.me === null ? [withoutSignIn()] : [clientsView(app, signal)];
    case 'users':
      return app.auth.me === null ? [withoutSignIn()] : [usersView(app, signal)];
    case 'services':
      return [servicesView(app, signal)];
    case 'system':
      return systemViews(app, signal);
  }
}

function withoutSignIn(): HTMLElement {
  const { element, body } = panel('without', 'No sign-in');
  body.append(h('p', { class: 'pad hint' }, 'This service is used without sign-in: there are no users to administer.'));
  return element;
}

const roleMeanings: Record<Role, string> = {
  Owner: 'Does everything in the tenant',
  Trader: 'Trades, alone and by strategies',
  Viewer: 'Sees everything, changes nothing',
  ComplianceOfficer: 'Sees everything, halts, has a say in releases',
  Auditor: 'Sees everything and the journal, changes nothing',
  Administrator: 'Runs the installation',
};

function roleText(role: Role): string {
  return format.capital(format.words(role));
}

/** Boxes for the roles that a tenant gives. */
function roleBoxes(chosen: readonly Role[]) {
  const boxes = memberRoles.map((role) => ({ role, box: h('input', { type: 'checkbox', checked: chosen.includes(role) }) }));
  const element = h('fieldset', { class: 'checks' }, h('legend', {}, 'Roles'), ...boxes.map(({ role, box }) =>
    h('label', { class: 'check' }, box, h('span', {}, roleText(role), h('span', { class: 'hint block' }, roleMeanings[role])))));
  return {
    element,
    read: (): Role[] => {
      const roles = boxes.filter(({ box }) => box.checked).map(({ role }) => role);
      if (roles.length === 0) throw new Error('A member without a role may do nothing: choose one.');
      return roles;
    },
  };
}

function membersView(app: App, signal: AbortSignal): HTMLElement {
  const { api, auth, store, say, report } = app;
  const { element, body } = panel('members', `Members of ${auth.me?.tenant.name ?? 'the tenant'}`);
  const actions = (member: Member) => {
    const { user, name, email, roles } = member;
    const who = name || email;
    const change = h('button', { type: 'button', 'aria-label': `Change the roles of ${who}`, onclick: () => {
      const boxes = roleBoxes(roles);
      openForm({
        title: `Roles of ${who}`, action: 'Set roles', fields: [boxes.element],
        submit: async () => {
          await api.setRoles(user, boxes.read());
          say(`${who} has new roles; they hold from the next request on.`);
          await read();
        },
      });
    } }, 'Roles');
    const remove = removeButton({
      name: who, text: 'They are no longer of this tenant: their strategies stop, and what they hold stays.', report,
      remove: async () => {
        await api.removeMember(user);
        await read();
      },
    });
    return h('span', { class: 'line', 'data-needs': 'ManageMembers' }, change, user !== auth.me?.id && remove);
  };
  const read = () => load(body, () => api.members(), (members) => [grid('Members', [
    { title: 'Name' }, { title: 'E-mail', shown: 'wide' }, { title: 'Roles' }, { title: 'Since', shown: 'widest' },
    { title: 'Last sign-in', shown: 'wide' },
    { title: 'Second factor', shown: 'widest' }, { title: 'Action' },
  ], members.map((member) => [
    h('span', {}, member.name || member.email, member.user === auth.me?.id && ' (you)',
      member.suspended && h('span', { class: 'status' }, 'suspended')),
    member.email, { text: member.roles.map(roleText).join(', '), class: 'long' }, format.date(member.since),
    member.lastSignIn === null ? 'never' : format.moment(member.lastSignIn, store.zone),
    { text: member.secondFactor ? 'on' : 'off', class: member.secondFactor ? 'gain' : 'warning' },
    actions(member),
  ]), 'Nobody.')], signal);
  void read();
  return element;
}

function invitationsView({ api, store, say, report }: App, signal: AbortSignal): HTMLElement {
  const invite = h('button', { type: 'button', class: 'primary', onclick: () => open() }, 'Invite');
  const { element, body } = panel('invitations', 'Invitations', invite);
  const open = () => {
    const email = field('E-mail address', textInput('', /^[^\s@]+@[^\s@]+$/, 'An e-mail address such as ada@example.com.'),
      'The invitation is sent to it');
    const boxes = roleBoxes(['Trader']);
    openForm({
      title: 'Invite somebody', action: 'Send the invitation', fields: [email.element, boxes.element],
      submit: async () => {
        const { email: to } = await api.invite(email.input.value.trim(), boxes.read());
        say(`An invitation is on its way to ${to}.`);
        await read();
      },
    });
  };
  const withdraw = ({ id, email }: Invitation) => {
    const button: HTMLButtonElement = h('button', {
      type: 'button', 'aria-label': `Withdraw the invitation of ${email}`,
      onclick: () => void during(button, async () => {
        await api.withdrawInvitation(id);
        await read();
      }, report),
    }, 'Withdraw');
    return button;
  };
  const read = () => load(body, () => api.invitations(), (invitations) => [grid('Invitations', [
    { title: 'E-mail' }, { title: 'Roles' }, { title: 'By', shown: 'wide' }, { title: 'Ends' }, { title: 'Action' },
  ], invitations.map((one) => [
    one.email, { text: one.roles.map(roleText).join(', '), class: 'long' }, one.by, format.moment(one.expires, store.zone), withdraw(one),
  ]), 'No invitation is open.')], signal);
  void read();
  return element;
}

function usersView({ api, auth, store, say, report }: App, signal: AbortSignal): HTMLElement {
  const { element, body } = panel('users', 'Users of the installation');
  const actions = (user: User) => {
    const { id, name, email, locked, administrator } = user;
    const who = name || email;
    if (id === auth.me?.id) return 'you';
    const set = (
      button: HTMLButtonElement, changes: { locked?: boolean; administrator?: boolean }, title: string, text: string, action: string, done: string,
    ) =>
      during(button, async () => {
        if (!(await ask(title, text, action))) return;
        await api.changeUser(id, changes);
        say(done);
        await read();
      }, report);
    const lock: HTMLButtonElement = h('button', {
      type: 'button', 'aria-label': `${locked ? 'Unlock' : 'Lock'} ${who}`,
      onclick: () => void set(lock, { locked: !locked }, `${locked ? 'Unlock' : 'Lock'} ${who}?`,
        locked ? 'They can sign in again.' : 'All their sessions end, and they cannot sign in.', locked ? 'Unlock' : 'Lock',
        `${who} is ${locked ? 'unlocked' : 'locked'}.`),
    }, locked ? 'Unlock' : 'Lock');
    const promote: HTMLButtonElement = h('button', {
      type: 'button', 'aria-label': `${administrator ? 'Make no administrator of' : 'Make administrator:'} ${who}`,
      onclick: () => void set(promote, { administrator: !administrator },
        `${administrator ? 'Take administration from' : 'Make an administrator of'} ${who}?`,
        administrator ? 'They no longer run the installation.' : 'They run the installation: its services, its users, its market.',
        administrator ? 'Take it' : 'Make administrator',
        `${who} is ${administrator ? 'no longer' : 'now'} an administrator.`),
    }, administrator ? 'Not administrator' : 'Administrator');
    const erase: HTMLButtonElement = h('button', {
      type: 'button', 'aria-label': `${user.erasureDue === null ? 'Delete' : 'Keep'} ${who}`, onclick: () => user.erasureDue === null ? openErasure(user)
        : void during(erase, async () => {
          await api.cancelErasure(id);
          say(`${who} stays.`);
          await read();
        }, report),
    }, user.erasureDue === null ? 'Delete …' : 'Keep');
    return h('span', { class: 'line' }, lock, promote, erase);
  };
  const openErasure = ({ id, name, email }: User) => {
    const reason = field('Reason', textInput('', /^\S.{0,198}\S$|^\S$/, 'At most 200 characters.'), 'It stays in the journal: no name, no address');
    const typed = field('Id', textInput('', /^\S+$/, 'Type the id.'), `Type ${id} so that it is meant`);
    const immediately = h('input', { type: 'checkbox' });
    openForm({
      title: `Delete ${name || email}?`, action: 'Delete this user',
      fields: [h('p', {}, 'Everything that is theirs is erased for good after the time of grace. Until then they keep it by signing in.'),
        reason.element, typed.element, h('label', { class: 'check' }, immediately, 'At once, without the time of grace')],
      submit: async () => {
        if (typed.input.value.trim() !== id) throw new Error('That is not the id.');
        const { due } = await api.eraseUser(id, reason.input.value.trim(), immediately.checked);
        say(immediately.checked ? `${name || email} is being deleted.` : `${name || email} is deleted on ${format.moment(due, store.zone)}.`);
        await read();
      },
    });
  };
  const read = () => load(body, () => api.users(), (users) => [grid('Users', [
    { title: 'Name' }, { title: 'E-mail', shown: 'wide' }, { title: 'Tenants', shown: 'wide' }, { title: 'Since', shown: 'widest' },
    { title: 'Last sign-in', shown: 'widest' },
    { title: 'State' }, { title: 'Action' },
  ], users.map((user) => [
    user.name || user.email, user.email, { text: user.tenants.map(({ name }) => name).join(', '), class: 'long' }, format.date(user.created),
    user.lastSignIn === null ? 'never' : format.moment(user.lastSignIn, store.zone),
    h('span', { class: 'line' }, user.locked && h('span', { class: 'status bad' }, 'locked'),
      user.erasureDue !== null && h('span', { class: 'status bad' }, `deleted on ${format.date(user.erasureDue)}`),
      user.administrator && h('span', { class: 'status' }, 'administrator'),
      !user.secondFactor && h('span', { class: 'hint' }, 'no second factor')),
    actions(user),
  ]), 'Nobody.')], signal);
  void read();
  return element;
}
