import { agentName } from '../agents';
import type { App } from '../app';
import { permissions, type ApiKey, type ErasureOutlook, type Permission, type SecondFactorSecret, type SignInSession } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import * as format from '../format';
import { faultText } from '../http';
import type { PageFactory } from '../page';
import { qrDrawing } from '../qr';
import { settingsTabs, type Route, type SettingsTab } from '../routes';
import { channelsView, toldView } from '../views/alerts';
import { configurationView } from '../views/configuration';
import { checkFields, field, numberInput, numberOf, openForm, passwordInput, select, textInput } from '../views/dialogs';
import { grid } from '../views/grid';
import { during, load } from '../views/load';
import { providerLinksView } from '../views/providerLinks';
import { removeButton } from '../views/removal';
import { tabs } from '../views/tabs';
import { saveAs } from '../views/tearSheet';

const tabTexts: Record<SettingsTab, string> = {
  profile: 'Profile', security: 'Security', keys: 'API keys', configuration: 'Configuration', notifications: 'Notifications',
};

/** What belongs to the person: profile, sign-in, keys of programs, and what the service does their way. */
export const page: PageFactory = (app, route, signal) => {
  const tab: SettingsTab = route.page === 'settings' ? route.tab : 'profile';
  const to = (each: SettingsTab): Route => ({ page: 'settings', tab: each });
  const needs: Partial<Record<SettingsTab, Permission>> = { keys: 'ManageKeys', configuration: 'Configure', notifications: 'Configure' };
  return h('main', { class: 'page narrow' },
    tabs('Settings', settingsTabs.map((each) => ({ text: tabTexts[each], route: to(each), ...(needs[each] ? { needs: needs[each] } : {}) })),
      to(tab)),
    h('div', { class: 'column' }, ...content(app, tab, signal)));
};

function content(app: App, tab: SettingsTab, signal: AbortSignal): HTMLElement[] {
  switch (tab) {
    case 'profile':
      return app.auth.me ? [profileView(app), emailView(app), displayView(app), personalDataView(app), erasureView(app)] : [withoutSignIn(), displayView(app)];
    case 'security':
      return app.auth.me ? [passwordView(app), secondFactorView(app), providerLinksView(app, signal), sessionsView(app, signal)] : [withoutSignIn()];
    case 'keys':
      return app.auth.me ? [keysView(app, signal)] : [withoutSignIn()];
    case 'configuration':
      return configurations(app, signal);
    case 'notifications':
      return [
        configurationView(app, { layer: 'User', wants: (section) => section === 'notifications' }, signal), channelsView(app, signal),
        ...(app.auth.may('ReadTrading') ? [toldView(app, signal)] : []),
      ];
  }
}

function withoutSignIn(): HTMLElement {
  const { element, body } = panel('without', 'No sign-in');
  body.append(h('p', { class: 'pad hint' },
    'This service is used without sign-in, by whoever sits at its machine. Profile, password and keys begin with the first user.'));
  return element;
}

/** One's own layer, or the tenant's for who may change it. */
function configurations(app: App, signal: AbortSignal): HTMLElement[] {
  const place = h('div', { class: 'column' });
  let shown = new AbortController();
  signal.addEventListener('abort', () => shown.abort());
  const wants = (section: string) => section !== 'notifications';
  const show = (layer: 'User' | 'Tenant') => {
    shown.abort();
    shown = new AbortController();
    buttons.forEach(({ button, layer: of }) => button.setAttribute('aria-pressed', String(of === layer)));
    place.replaceChildren(configurationView(app, { layer, wants }, shown.signal));
  };
  const buttons = (['User', 'Tenant'] as const).map((layer) => ({
    layer, button: h('button', { type: 'button', onclick: () => show(layer) }, layer === 'User' ? 'Mine' : 'The tenant\'s'),
  }));
  show('User');
  const choice = h('div', { class: 'switch', role: 'group', 'aria-label': 'Layer' }, ...buttons.map(({ button }) => button));
  return [...(app.auth.may('ConfigureTenant') ? [choice] : []), place];
}

/** A form in a panel, with its answer below the button. */
function formPanel(id: string, title: string, action: string, fields: readonly HTMLElement[], submit: () => Promise<string>): HTMLElement {
  const { element, body } = panel(id, title);
  const send = h('button', { type: 'submit', class: 'primary' }, action);
  const fault = h('p', { class: 'fault', role: 'alert' });
  const answer = h('p', { role: 'status' });
  const form = h('form', { class: 'pad stack', novalidate: true }, h('div', { class: 'fields' }, ...fields), send, fault, answer);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    setText(fault, '');
    setText(answer, '');
    if (!checkFields(form)) return;
    void during(send, async () => setText(answer, await submit()), (error) => setText(fault, faultText(error)));
  });
  body.append(form);
  return element;
}

function profileView({ api, auth }: App): HTMLElement {
  const me = auth.me!;
  const name = field('Name', textInput(me.name, /^\S.{0,98}\S$|^\S$/, 'A name of at most 100 characters.'));
  name.input.setAttribute('autocomplete', 'name');
  const element = formPanel('profile', 'Profile', 'Save', [name.element], async () => {
    auth.takeMe(await api.changeProfile(name.input.value.trim()));
    return 'Saved.';
  });
  const facts: [string, string][] = [
    ['E-mail', `${me.email}${me.emailVerified ? '' : ' (not verified yet)'}`], ['Tenant', me.tenant.name],
    ['Roles', me.roles.map((role) => format.capital(format.words(role))).join(', ')],
  ];
  element.querySelector('.body')!.prepend(h('dl', { class: 'terms long pad' },
    ...facts.map(([term, text]) => h('div', {}, h('dt', {}, term), h('dd', {}, text)))));
  return element;
}

function displayView({ store }: App): HTMLElement {
  const { element, body } = panel('display', 'In this browser');
  body.append(h('p', { class: 'pad hint' }, 'Theme and time zone are at the top of every page; what is chosen there stays in this browser. '
    + `Numbers and dates are written as ${store.preferences.locale ?? navigator.language} writes them. Press ? for the keys.`));
  return element;
}

function personalDataView({ api, report }: App): HTMLElement {
  const { element, body } = panel('personal', 'Personal data');
  const copy: HTMLButtonElement = h('button', {
    type: 'button', onclick: () => void during(copy, async () => saveAs(await api.file('me/export'), 'hybridtrading-export.json'), report),
  }, 'Download everything about me');
  body.append(h('div', { class: 'pad line' }, copy));
  return element;
}

/** For who keeps the passwords: whose it is. */
function userName(email: string): HTMLElement {
  return h('input', { type: 'text', name: 'username', autocomplete: 'username', value: email, hidden: true });
}

function passwordView({ api, auth }: App): HTMLElement {
  const { passwordMinLength: least, passwordMaxLength: most } = auth.settings;
  const current = field('Current password', passwordInput('current', 'current-password'));
  const next = field('New password', passwordInput('password', 'new-password', least, most), `At least ${least} characters`);
  return formPanel('password', 'Password', 'Change the password', [userName(auth.me!.email), current.element, next.element], async () => {
    await api.changePassword(current.input.value, next.input.value);
    current.input.value = '';
    next.input.value = '';
    return 'Changed. All your other sessions have ended.';
  });
}

/** Of who has a second factor its code is asked for, too. */
function codeInput(): { input: HTMLInputElement; element: HTMLElement } {
  const code = field('Code', textInput('', /^[A-Za-z0-9-]{6,40}$/, 'Six digits, or a recovery code.'));
  code.input.setAttribute('autocomplete', 'one-time-code');
  return code;
}

function emailView({ api, auth }: App): HTMLElement {
  const next = field('New address', textInput('', /^[^\s@]+@[^\s@]+$/, 'An address such as name@example.org.'));
  next.input.setAttribute('autocomplete', 'email');
  const password = field('Password', passwordInput('password', 'current-password'));
  const code = codeInput();
  const needsCode = auth.me!.secondFactor;
  return formPanel('email', 'E-mail address', 'Change the address', [next.element, password.element, ...(needsCode ? [code.element] : [])], async () => {
    const to = next.input.value.trim();
    await api.changeEmail(to, password.input.value, needsCode ? code.input.value.trim() : '');
    password.input.value = '';
    return `A mail is on its way to ${to}: the link in it makes the address yours. Until then nothing changes.`;
  });
}

/** Says what stands in the way and what stays, and asks for proof and for the address, typed. */
function erasureView({ api, auth, store, say, report }: App): HTMLElement {
  const { element, body } = panel('erasure', 'Delete my user');
  const me = auth.me!;
  const begin: HTMLButtonElement = h('button', { type: 'button', class: 'danger', onclick: () => void during(begin, async () => open(await api.erasureOutlook()), report) },
    'Delete my user …');
  const open = ({ hindrances, graceDays, kept }: ErasureOutlook) => {
    if (hindrances.length > 0) {
      body.replaceChildren(h('div', { class: 'pad stack' }, h('p', { role: 'status' }, 'First this must be settled:'),
        h('ul', {}, ...hindrances.map(({ detail }) => h('li', {}, format.capital(detail)))), begin));
      return;
    }
    const password = field('Password', passwordInput('password', 'current-password'));
    const code = codeInput();
    const typed = field('Your address', textInput('', /^\S+$/, 'Type your address.'), `Type ${me.email} so that it is meant`);
    typed.input.setAttribute('autocomplete', 'off');
    openForm({
      title: 'Delete my user', action: 'Delete everything that is mine',
      fields: [
        h('p', {}, `Accounts, strategies, back-tests, data and settings are erased, for good${graceDays > 0 ? `, in ${graceDays} days. Whoever signs in as you before that keeps them` : ''}. `
          + 'You are signed out everywhere at once.'),
        h('ul', { class: 'hint' }, ...kept.map((line) => h('li', {}, line))), password.element, ...(me.secondFactor ? [code.element] : []), typed.element,
      ],
      submit: async () => {
        if (typed.input.value.trim().toLowerCase() !== me.email) throw new Error('That is not your address.');
        const { due } = await api.eraseMe(typed.input.value.trim(), password.input.value, me.secondFactor ? code.input.value.trim() : '');
        say(`Your user is deleted on ${format.moment(due, store.zone)}.`);
        await auth.signOut();
      },
    });
  };
  body.append(h('div', { class: 'pad stack' }, h('p', { class: 'hint' }, 'Strategies must be stopped, positions closed and orders cancelled before.'), begin));
  return element;
}

function secondFactorView(app: App): HTMLElement {
  const { api, auth, say } = app;
  const { element, body } = panel('second-factor', 'Second factor');
  const show = () => {
    const isOn = auth.me?.secondFactor === true;
    const change = h('button', { type: 'button', class: isOn ? '' : 'primary', onclick: isOn ? remove : begin }, isOn ? 'Remove it' : 'Set it up');
    body.replaceChildren(h('div', { class: 'pad stack' }, h('p', {}, isOn
      ? 'On: who signs in as you needs your password and a code of your authenticator.'
      : 'Off: a password alone signs in. With a second factor a code of an authenticator app is needed, too.'), change));
  };
  const begin = () => {
    const password = field('Password', passwordInput('password', 'current-password'));
    openForm({
      title: 'Set up the second factor', action: 'Go on', fields: [password.element],
      submit: async () => confirm(await api.beginSecondFactor(password.input.value)),
    });
  };
  const confirm = ({ secret, uri }: SecondFactorSecret) => {
    const code = codeInput();
    openForm({
      title: 'Scan this with your authenticator', action: 'Confirm',
      fields: [
        qrDrawing(uri, 'QR code for the authenticator app') as unknown as HTMLElement,
        h('p', { class: 'hint' }, 'Or enter this key: ', h('code', { class: 'secret' }, secret.replace(/(.{4})(?=.)/g, '$1 '))), code.element,
      ],
      submit: async () => {
        const { recoveryCodes } = await api.confirmSecondFactor(code.input.value.trim());
        auth.takeMe(await api.me());
        show();
        tellCodes(recoveryCodes);
      },
    });
  };
  const tellCodes = (codes: readonly string[]) => {
    const text = codes.join('\n');
    const dialog = h('dialog', { 'aria-labelledby': 'codes-title' },
      h('h2', { id: 'codes-title' }, 'Recovery codes'),
      h('p', {}, 'Each signs you in once when the authenticator is lost. They are shown this once: keep them where the password is not.'),
      h('pre', { class: 'rule-text secret', tabindex: '0', 'aria-label': 'Recovery codes' }, text),
      h('div', { class: 'actions' },
        h('button', { type: 'button', onclick: () => saveAs(new Blob([`${text}\n`], { type: 'text/plain' }), 'hybridtrading-recovery-codes.txt') },
          'Save as a file'),
        h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'I have kept them')));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  const remove = () => {
    const password = field('Password', passwordInput('password', 'current-password'));
    const code = codeInput();
    openForm({
      title: 'Remove the second factor', action: 'Remove', fields: [password.element, code.element],
      submit: async () => {
        await api.removeSecondFactor(password.input.value, code.input.value.trim());
        auth.takeMe(await api.me());
        show();
        say('The second factor is removed.');
      },
    });
  };
  show();
  return element;
}

function sessionsView({ api, store, say, report }: App, signal: AbortSignal): HTMLElement {
  const all: HTMLButtonElement = h('button', { type: 'button', onclick: () => void during(all, async () => {
    await api.endOtherSessions();
    say('All other sessions have ended.');
    await read();
  }, report) }, 'End all others');
  const { element, body } = panel('sessions', 'Sessions', all);
  const end = ({ id }: SignInSession) => {
    const button: HTMLButtonElement = h('button', { type: 'button', onclick: () => void during(button, async () => {
      await api.endSession(id);
      await read();
    }, report) }, 'End');
    return button;
  };
  const read = () => load(body, () => api.sessions(), (sessions) => {
    setHidden(all, sessions.length < 2);
    return [grid('Sessions', [{ title: 'Browser' }, { title: 'Address', shown: 'wide' }, { title: 'Since', shown: 'wide' }, { title: 'Last used' },
      { title: 'Action' }],
      sessions.map((session) => [
        h('span', { title: session.agent }, agentName(session.agent)), session.address, format.moment(session.created, store.zone),
        format.moment(session.lastUsed, store.zone),
        session.current ? h('span', { class: 'status' }, 'this one') : end(session),
      ]), 'No session.')];
  }, signal);
  void read();
  return element;
}

/** Of whom a key can only be used for so much: never more than who made it. */
function keysView(app: App, signal: AbortSignal): HTMLElement {
  const { api, auth, store, report } = app;
  const create = h('button', { type: 'button', class: 'primary', onclick: () => openKey() }, 'New key');
  const { element, body } = panel('keys', 'API keys', create);

  const remove = ({ id, name }: ApiKey) => removeButton({
    name, text: 'Programs that use this key are refused from now on.', report,
    remove: async () => {
      await api.removeApiKey(id);
      await read();
    },
  });
  const read = () => load(body, () => api.apiKeys(), (keys) => [
    h('p', { class: 'hint pad' }, 'Programs sign their requests with a key. A key may do what its scopes say, and never more than you.'),
    grid('API keys', [
      { title: 'Name' }, { title: 'Kind', shown: 'wide' }, { title: 'Scopes' }, { title: 'Made', shown: 'widest' }, { title: 'Ends' },
      { title: 'Last used', shown: 'wide' },
      { title: 'Action' },
    ], keys.map((key) => [
      key.name, key.kind === 'Hmac' ? 'HMAC' : 'ECDSA', { text: key.scopes.map(format.words).join(', '), class: 'long' }, format.date(key.created),
      format.date(key.expires), key.lastUsed === null ? 'never' : format.moment(key.lastUsed, store.zone), remove(key),
    ]), 'No key yet: programs that trade for you need one.'),
  ], signal);

  const openKey = () => {
    const name = field('Name', textInput('', /^\S.{0,98}$/, 'A name of at most 100 characters.'), 'What uses it');
    const kind = field('Kind', select([['Hmac', 'HMAC: a secret that both know'], ['Ecdsa', 'ECDSA: only the public key is known here']], 'Hmac'));
    const publicKey = field('Public key', h('textarea', { rows: 4, spellcheck: 'false', autocomplete: 'off' }), 'P-256, as PEM');
    setHidden(publicKey.element, true);
    kind.input.addEventListener('change', () => setHidden(publicKey.element, kind.input.value !== 'Ecdsa'));
    const days = field('Days until it ends', numberInput(90, { minimum: 1, maximum: 366, whole: true, required: true }));
    const boxes = permissions.filter((permission) => auth.may(permission)).map((permission) => ({
      permission, box: h('input', { type: 'checkbox', checked: permission === 'ReadMarket' || permission === 'ReadTrading' }),
    }));
    openForm({
      title: 'New API key', action: 'Make the key',
      fields: [name.element, kind.element, publicKey.element, days.element,
        h('fieldset', { class: 'checks' }, h('legend', {}, 'Scopes'),
          ...boxes.map(({ permission, box }) => h('label', { class: 'check' }, box, format.capital(format.words(permission)))))],
      submit: async () => {
        const scopes = boxes.filter(({ box }) => box.checked).map(({ permission }) => permission);
        if (scopes.length === 0) throw new Error('A key without a scope may do nothing: choose one.');
        const isEcdsa = kind.input.value === 'Ecdsa';
        const { key, secret } = await api.createApiKey({
          name: name.input.value.trim(), kind: isEcdsa ? 'Ecdsa' : 'Hmac', scopes, expiresDays: numberOf(days.input)!,
          ...(isEcdsa ? { publicKey: publicKey.input.value.trim() } : {}),
        });
        tellKey(key, secret);
        void read();
      },
    });
  };
  const tellKey = ({ id, name }: ApiKey, secret: string | null) => {
    const dialog = h('dialog', { 'aria-labelledby': 'key-title' },
      h('h2', { id: 'key-title' }, name),
      h('p', {}, secret === null ? 'The key is there. Programs name it by its id:'
        : 'The secret is shown this once. Copy it to where the program reads it.'),
      h('dl', { class: 'terms' }, h('div', {}, h('dt', {}, 'Key'), h('dd', {}, h('code', {}, id))),
        secret !== null && h('div', {}, h('dt', {}, 'Secret'), h('dd', {}, h('code', { class: 'secret' }, secret)))),
      h('div', { class: 'actions' },
        secret !== null && h('button', { type: 'button', onclick: () =>
          void navigator.clipboard?.writeText(secret).then(() => app.say('Copied.'), report) }, 'Copy the secret'),
        h('button', { type: 'button', class: 'primary', autofocus: true, onclick: () => dialog.close() }, 'Done')));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  void read();
  return element;
}
