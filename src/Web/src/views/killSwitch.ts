import type { App } from '../app';
import type { KillSwitchState, Member, TenantHalt } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import * as format from '../format';
import { faultText } from '../http';
import { releaseStep } from '../killSwitch';
import { field, openForm, select, textInput } from './dialogs';
import { during, every } from './load';

const readEvery = 3_000;

/** Stops trading at once: one's own, one account, everybody of the tenant; and the release of what was halted for the tenant, by two people. */
export function killSwitchView(app: App, signal: AbortSignal): HTMLElement {
  const { store, api, auth, session, say, report } = app;
  const asOf = h('span', { class: 'aside' });
  const { element, body } = panel('kill-switch', 'Kill switch', asOf);
  const fault = h('p', { class: 'fault pad', role: 'alert', hidden: true });
  const own = h('p', {});
  const halt = h('button', { type: 'button', class: 'halt', 'data-needs': 'Halt', onclick: () => openHalt(null) }, 'Halt everything of mine');
  const accounts = h('ul', { class: 'choices' });
  const halts = h('ul', { class: 'choices' });
  const untold = h('p', { class: 'warning', role: 'status' });
  const haltTenant = h('button', { type: 'button', class: 'halt', 'data-needs': 'HaltTenant', onclick: () => void openTenantHalt() },
    'Halt the tenant or a member');
  body.append(fault,
    h('div', { class: 'pad stack' },
      h('h3', {}, 'Mine'), own, halt,
      h('p', { class: 'hint' }, 'Stops your strategies, halts your accounts and cancels the orders that add. What only reduces stays possible.')),
    accounts,
    h('div', { class: 'pad stack' }, h('h3', {}, 'Tenant'), untold), halts,
    h('div', { class: 'pad stack' }, haltTenant,
      h('p', { class: 'hint', 'data-needs': 'HaltTenant' },
        'No strategy starts and no account adds, for everybody or one member, until one asks for the release and another approves.')));

  let names = new Map<string, string>();
  const nameOf = (user: string) => (user === auth.me?.id ? 'you' : (names.get(user) ?? user));
  const me = () => auth.me?.id ?? null;

  const refresh = async (minPosition?: number) => {
    await Promise.all([read(), minPosition === undefined ? Promise.resolve() : session.refresh(minPosition)]);
  };

  /** One account, or null for all of one's own. */
  const openHalt = (account: string | null) => {
    const reason = field('Why', textInput('', /^.{0,200}$/, 'At most 200 characters.'), 'For the record; may be left empty');
    const flatten = h('input', { type: 'checkbox' });
    openForm({
      title: account === null ? 'Halt everything of mine' : `Halt ${account}`,
      action: 'Halt now',
      fields: [h('label', { class: 'check' }, flatten, 'Close every position at the market, too'), reason.element],
      submit: async () => {
        const done = await api.engageKillSwitch(account, flatten.checked, reason.input.value.trim());
        say(`Halted: ${counted(done.accounts.length, 'account')}, ${counted(done.strategies.length, 'strategy', 'strategies')} stopped.`);
        await refresh(done.minPosition);
      },
    });
  };

  const openTenantHalt = async () => {
    const members = await readMembers();
    const member = field('Who', select([['', 'Everybody'], ...members.map(({ user, name, email }) => [user, `${name || email}`] as const)], ''));
    const reason = field('Why', textInput('', /^.*\S.*$/, 'A reason is needed; it is recorded.'));
    const flatten = h('input', { type: 'checkbox' });
    openForm({
      title: 'Halt the tenant or a member', action: 'Halt now',
      fields: [member.element, reason.element, h('label', { class: 'check' }, flatten, 'Close every position at the market, too')],
      submit: async () => {
        const { minPosition } = await api.haltTenant(member.input.value || null, flatten.checked, reason.input.value.trim());
        say('The halt stands.');
        await refresh(minPosition);
      },
    });
  };

  const openAskRelease = ({ number }: TenantHalt) => {
    const reason = field('Why it may be released', textInput('', /^.*\S.*$/, 'A reason is needed; it is recorded.'));
    openForm({
      title: `Ask for the release of halt ${number}`, action: 'Ask', fields: [reason.element],
      submit: async () => {
        const { minPosition } = await api.askRelease(number, reason.input.value.trim());
        say('Another has to approve now.');
        await refresh(minPosition);
      },
    });
  };

  const release = (account: string, button: HTMLButtonElement) => during(button, async () => {
    const { minPosition } = await api.setState(account, 'Active');
    say(`${account} is active.`);
    await refresh(minPosition);
  }, report);

  const approve = ({ number }: TenantHalt, button: HTMLButtonElement) => during(button, async () => {
    const { minPosition } = await api.approveRelease(number);
    say(`Halt ${number} is released. Strategies stay stopped until somebody starts them.`);
    await refresh(minPosition);
  }, report);

  const accountItem = ({ name, state, tenantHalted }: KillSwitchState['accounts'][number]) => {
    const again: HTMLButtonElement = h('button', { type: 'button', 'data-needs': 'ManageRisk', onclick: () => void release(name, again) },
      'Let trade');
    return h('li', { 'data-state': state }, h('div', { class: 'line' }, h('h3', {}, name), h('span', { class: 'status' }, state),
      tenantHalted && h('span', { class: 'status' }, 'Halted for the tenant'),
      state !== 'Active' && !tenantHalted && again,
      h('button', { type: 'button', class: 'halt', 'data-needs': 'Halt', 'aria-label': `Halt ${name}`, onclick: () => openHalt(name) }, 'Halt')));
  };

  const haltItem = (one: TenantHalt) => {
    const { step, ...further } = releaseStep(one, me(), auth.may('ReleaseTenant'), Date.now());
    const button: HTMLButtonElement = h('button', {
      type: 'button', class: step === 'approve' ? 'primary' : '',
      onclick: () => (step === 'approve' ? void approve(one, button) : openAskRelease(one)),
    }, step === 'approve' ? 'Approve the release' : 'Ask for the release');
    const closed = one.flatten ? ', with all positions closed' : '';
    return h('li', { 'data-state': 'Halted' },
      h('div', { class: 'line' }, h('h3', {}, one.member === null ? 'Everybody is halted' : `Halted: ${nameOf(one.member)}`),
        step !== 'wait' && button),
      h('p', {}, `Halt ${one.number} by ${nameOf(one.by)}, ${format.moment(one.at, store.zone)}${closed}: ${one.why}`),
      one.release !== null && h('p', { class: 'warning' },
        `${format.capital(nameOf(one.release.by))} asked for the release: ${one.release.why}. `,
        `To be approved until ${format.moment(one.release.until, store.zone)}.`),
      'why' in further && h('p', { class: 'hint' }, further.why));
  };

  let shown = '';
  let read: () => Promise<void> = async () => {};
  const show = (state: KillSwitchState) => {
    setText(asOf, `as of ${format.clock(Date.now(), store.zone)}`);
    const active = state.accounts.filter((account) => account.state !== 'Halted').length;
    const running = counted(state.runningStrategies.length, 'strategy runs', 'strategies run');
    const halted = state.accounts.length - active;
    setText(own, `${running}; of ${counted(state.accounts.length, 'account')} ${format.volume(halted)} ${halted === 1 ? 'is' : 'are'} halted.`);
    setHidden(untold, state.untold === 0);
    setText(untold, `${state.untold} accounts and strategies have not confirmed the last change yet; they are told until they do.`);
    const now = JSON.stringify([state.accounts, state.tenantHalts, store.zone, [...names]]);
    if (now === shown) return;
    shown = now;
    accounts.replaceChildren(...state.accounts.map(accountItem));
    halts.replaceChildren(...(state.tenantHalts.length > 0 ? state.tenantHalts.map(haltItem)
      : [h('li', { class: 'hint' }, 'No halt of the tenant stands.')]));
  };
  const readMembers = async (): Promise<Member[]> => {
    if (!auth.may('ReadTenant') || auth.me === null) return [];
    const members = await api.members().catch(() => []);
    names = new Map(members.map(({ user, name, email }) => [user, name || email]));
    return members;
  };
  read = async () => {
    try {
      const state = await api.killSwitch();
      if (signal.aborted) return;
      if (names.size === 0 && state.tenantHalts.length > 0) await readMembers();
      setHidden(fault, true);
      show(state);
    } catch (error) {
      if (signal.aborted) return;
      setHidden(fault, false);
      setText(fault, `How it stands is not known: ${faultText(error)}`);
    }
  };
  every(readEvery, () => read(), signal);
  return element;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${format.volume(count)} ${count === 1 ? one : many}`;
}
