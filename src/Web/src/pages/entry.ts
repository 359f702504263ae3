import type { App } from '../app';
import type { InvitationOffer, Tokens } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import { ApiError, faultText } from '../http';
import type { PageFactory } from '../page';
import { leaveFor, type ProviderPurpose } from '../provider';
import { home, replace } from '../router';
import { href, type EntryRoute } from '../routes';
import * as format from '../format';
import { during } from '../views/load';
import { checkFields, field, passwordInput, showFault, textInput, type Field } from '../views/dialogs';

/** The pages for those who are not signed in: signing in and up, the first run, and what the links of mails lead to. */
export const page: PageFactory = (app, route) => {
  const place = h('main', { class: 'page' });
  place.append(content(app, route as EntryRoute));
  return place;
};

function content(app: App, route: EntryRoute): HTMLElement {
  switch (route.page) {
    case 'signIn':
      return app.auth.state === 'setup' ? notSetUp() : signIn(app);
    case 'welcome':
      return welcome(app, route.token);
    case 'signUp':
      return signUp(app);
    case 'verify':
      return verify(app, route.token);
    case 'change-email':
      return changeEmail(app, route.token);
    case 'undo-email':
      return undoEmail(app, route.token);
    case 'forgot':
      return forgot(app);
    case 'reset':
      return reset(app, route.token);
    case 'invitation':
      return invitation(app, route.token);
  }
}

interface EntryForm {
  title: string;
  intro?: string;
  fields: HTMLElement[];
  action: string;
  submit: () => Promise<void>;
  /** Below the form. */
  further?: HTMLElement[];
}

/** A form that stands alone on its page. */
function entryForm({ title, intro, fields, action, submit, further = [] }: EntryForm): HTMLElement {
  const { element, body } = panel('entry', title);
  element.classList.add('entry');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const send = h('button', { type: 'submit', class: 'primary large' }, action);
  const form = h('form', { novalidate: true, class: 'pad stack', 'aria-labelledby': 'entry-title' },
    intro !== undefined && h('p', { class: 'hint' }, intro), ...fields, fault, send);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    setText(fault, '');
    if (!checkFields(form)) return;
    send.disabled = true;
    submit()
      .catch((error: unknown) => {
        setText(fault, error instanceof ApiError ? entryFault(error) : faultText(error));
        for (const [name, texts] of error instanceof ApiError ? Object.entries(error.errors) : []) {
          const input = form.querySelector<HTMLInputElement>(`input[name="${CSS.escape(name)}"]`);
          if (input) showFault(input, texts.join(' '));
        }
      })
      .finally(() => (send.disabled = false));
  });
  body.append(form, ...(further.length > 0 ? [h('div', { class: 'pad line further' }, ...further)] : []));
  return element;
}

/** The refusals that people meet here, in words that say what to do. */
function entryFault(error: ApiError): string {
  switch (error.reason) {
    case 'SignInFailed':
      return 'E-mail address, password or code is not right.';
    case 'LockedOut':
      return error.retryAfter === null
        ? 'Too many tries: this sign-in is locked for a while.'
        : `Too many tries: this sign-in is locked for another ${format.age(error.retryAfter * 1000)}.`;
    case 'EmailUnverified':
      return 'The address has not been verified yet: follow the link in the mail that was sent to it.';
    case 'SetupTokenInvalid':
      return 'This link is not the one that the service printed last. Look at its console, or start it anew.';
    case 'SetupDone':
      return 'The installation has its owner already: sign in.';
    case 'LinkInvalid':
      return 'This link has been used, has run out, or is not whole.';
    case 'ProviderUnlinked':
      return 'Nobody here is linked to that sign-in: sign in by password and link it under Settings, Security, or ask for an invitation.';
    case 'SignUpClosed':
      return 'Signing up is by invitation here.';
    default:
      return faultText(error);
  }
}

function told(title: string, text: string, ...links: HTMLElement[]): HTMLElement {
  const { element, body } = panel('entry', title);
  element.classList.add('entry');
  body.append(h('div', { class: 'pad stack' }, h('p', { role: 'status' }, text), h('div', { class: 'line' }, ...links)));
  return element;
}

const toSignIn = () => h('a', { href: href({ page: 'signIn' }) }, 'Sign in');

const email = (value = '', autocomplete = 'username'): Field<HTMLInputElement> => {
  const input = textInput(value, /^[^\s@]+@[^\s@]+$/, 'An e-mail address such as ada@example.com.');
  input.type = 'email';
  input.name = 'email';
  input.setAttribute('autocomplete', autocomplete);
  return field('E-mail address', input);
};

const fullName = (value = ''): Field<HTMLInputElement> => {
  const input = textInput(value, /^\S.{0,98}\S$|^\S$/, 'A name of at most 100 characters.');
  input.name = 'name';
  input.setAttribute('autocomplete', 'name');
  return field('Name', input);
};

function newPassword({ auth }: App): Field<HTMLInputElement> {
  const { passwordMinLength: least, passwordMaxLength: most } = auth.settings;
  return field('Password', passwordInput('password', 'new-password', least, most), `At least ${least} characters; a few words together are good.`);
}

/** Leaves for the external provider; null where there is none. */
function providerButton({ auth }: App, purpose: ProviderPurpose, text: string, failed: (error: unknown) => void): HTMLElement[] {
  const { provider } = auth.settings;
  if (provider === null) return [];
  const button: HTMLButtonElement = h('button', {
    type: 'button',
    onclick: () => void during(button, async () => leaveFor(await auth.startProvider(), purpose, location.hash || '#/'), failed),
  }, `${text} ${provider}`);
  return [button];
}

/** Goes on with what the provider has answered: `done` once somebody is signed in, the form for the code where that is missing. */
function proven(app: App, purpose: ProviderPurpose, done: () => void, otherwise: (fault: string) => HTMLElement, invitation?: string): HTMLElement | null {
  const { auth, provider } = app;
  const answer = provider.take(purpose);
  if (answer === null) return null;
  if (typeof answer === 'string') return otherwise(answer);
  const place = told('Sign in', 'Completing the sign-in…');
  auth.completeProvider(answer, invitation).then(
    (ticket) => (ticket === null ? done() : place.replaceWith(codeForm(app, ticket, done))),
    (error: unknown) => place.replaceWith(otherwise(error instanceof ApiError ? entryFault(error) : faultText(error))));
  return place;
}

function codeForm({ auth }: App, ticket: string, done: () => void): HTMLElement {
  const input = textInput('', /^[A-Za-z0-9-]{6,40}$/, 'Six digits, or one of the recovery codes.');
  input.name = 'code';
  input.setAttribute('autocomplete', 'one-time-code');
  const code = field('Code', input, 'The six digits of your authenticator app, or a recovery code.');
  queueMicrotask(() => input.focus());
  return entryForm({
    title: 'Second factor', fields: [code.element], action: 'Sign in', further: [toSignIn()],
    submit: async () => {
      await auth.confirmProvider(ticket, input.value.trim());
      done();
    },
  });
}

function signIn(app: App, fault = ''): HTMLElement {
  const { auth } = app;
  // The router shows the page that was asked for as soon as somebody is signed in.
  const going = fault === '' ? proven(app, 'signIn', () => {}, (why) => signIn(app, why)) : null;
  if (going !== null) return going;
  const address = email(auth.me?.email);
  const password = field('Password', passwordInput('password', 'current-password'));
  const codeInput = textInput('', /^[A-Za-z0-9-]{6,40}$/, 'Six digits, or one of the recovery codes.');
  codeInput.name = 'code';
  codeInput.setAttribute('autocomplete', 'one-time-code');
  codeInput.setAttribute('inputmode', 'text');
  const code = field('Code', codeInput, 'The six digits of your authenticator app, or a recovery code.');
  setHidden(code.element, true);
  const element: HTMLElement = entryForm({
    title: 'Sign in',
    ...(auth.me ? { intro: 'Your session has ended. Sign in, and you go on where you were.' } : {}),
    fields: [address.element, password.element, code.element],
    action: 'Sign in',
    submit: async () => {
      try {
        await auth.signIn(address.input.value.trim(), password.input.value, code.element.hidden ? '' : code.input.value.trim());
      } catch (error) {
        if (!(error instanceof ApiError) || error.reason !== 'SecondFactorNeeded') throw error;
        setHidden(code.element, false);
        code.input.focus();
      }
    },
    further: [
      ...providerButton(app, 'signIn', 'Sign in with', (error) => showEntryFault(element, error instanceof ApiError ? entryFault(error) : faultText(error))),
      h('a', { href: href({ page: 'forgot' }) }, 'Forgotten password'),
      ...(auth.settings.signUp === 'open' ? [h('a', { href: href({ page: 'signUp' }) }, 'Sign up')] : []),
    ],
  });
  showEntryFault(element, fault);
  queueMicrotask(() => (auth.me ? password : address).input.focus());
  return element;
}

function showEntryFault(entry: HTMLElement, text: string): void {
  setText(entry.querySelector<HTMLElement>('.fault[role="alert"]')!, text);
}

function notSetUp(): HTMLElement {
  return told('Welcome to HybridTrading',
    'This installation has no owner yet. The program has printed a link on its console: open it in this browser, on the same machine, '
    + 'and you are the owner.');
}

function welcome(app: App, token: string): HTMLElement {
  const { auth } = app;
  if (auth.state === 'out') return told('This installation has its owner', 'The link has done its work.', toSignIn());
  const name = fullName();
  const address = email();
  const password = newPassword(app);
  return entryForm({
    title: 'Welcome to HybridTrading',
    intro: 'You are the first here: this makes you the owner of the installation. There is no other way in, and no password but yours.',
    fields: [name.element, address.element, password.element],
    action: 'Own this installation',
    submit: () => auth.setUp(token, address.input.value.trim(), name.input.value.trim(), password.input.value),
  });
}

function signUp(app: App): HTMLElement {
  const { api, auth } = app;
  if (auth.settings.signUp !== 'open') {
    return told('Sign up', 'Signing up is by invitation here: ask who runs this installation for one.', toSignIn());
  }
  const name = fullName();
  const address = email();
  const password = newPassword(app);
  const element: HTMLElement = entryForm({
    title: 'Sign up',
    fields: [name.element, address.element, password.element],
    action: 'Sign up',
    submit: async () => {
      const to = address.input.value.trim();
      await api.signUp(to, name.input.value.trim(), password.input.value);
      element.replaceWith(told('Look into your mail', `A mail is on its way to ${to}. Its link completes the sign-up.`, toSignIn()));
    },
    further: [toSignIn()],
  });
  return element;
}

function verify({ api }: App, token: string): HTMLElement {
  const place = told('E-mail address', 'Checking the link…');
  api.verifyEmail(token).then(
    () => place.replaceWith(told('Your address is verified', 'You can sign in now.', toSignIn())),
    (error: unknown) => place.replaceWith(told('The address is not verified', error instanceof ApiError ? entryFault(error) : faultText(error),
      toSignIn())));
  return place;
}

/** A click, and not the opening of the page, does it: mail programs open links to look at what is behind them. */
function changeEmail({ api }: App, token: string): HTMLElement {
  const element: HTMLElement = entryForm({
    title: 'E-mail address',
    intro: 'From then on you sign in with this address. All your sessions end but the one that asked for it.',
    fields: [],
    action: 'Use this address',
    submit: async () => {
      await api.confirmEmail(token);
      element.replaceWith(told('Your address is changed', 'The address before has got a link to undo this, for seven days.', toSignIn()));
    },
  });
  return element;
}

function undoEmail({ api }: App, token: string): HTMLElement {
  const element: HTMLElement = entryForm({
    title: 'Take your address back',
    intro: 'Somebody has changed the address of your user. All sessions end, and what was made since then is undone: API keys, a second factor, a deletion.',
    fields: [],
    action: 'Take it back',
    submit: async () => {
      await api.undoEmail(token);
      element.replaceWith(told('The address is yours again', 'A mail with a link to a new password is on its way to it: use it, since somebody knows the old one.',
        toSignIn()));
    },
  });
  return element;
}

function forgot({ api }: App): HTMLElement {
  const address = email();
  const element: HTMLElement = entryForm({
    title: 'Forgotten password',
    fields: [address.element],
    action: 'Send a link',
    submit: async () => {
      const to = address.input.value.trim();
      await api.forgotPassword(to);
      element.replaceWith(told('Look into your mail', `If ${to} is known here, a mail with a link to a new password is on its way to it.`,
        toSignIn()));
    },
    further: [toSignIn()],
  });
  return element;
}

function reset(app: App, token: string): HTMLElement {
  const password = newPassword(app);
  const element: HTMLElement = entryForm({
    title: 'New password',
    fields: [password.element],
    action: 'Set the password',
    submit: async () => {
      await app.api.resetPassword(token, password.input.value);
      element.replaceWith(told('The password is set', 'All sessions there were have ended. Sign in with the new one.', toSignIn()));
    },
  });
  return element;
}

function invitation(app: App, token: string, fault = ''): HTMLElement {
  // Who was known already accepts by the button that the page then has; somebody new is a member by now.
  const welcome = () => void app.api.invitation(token).catch(() => replace(home(app)));
  const going = fault === '' && app.auth.state !== 'in' ? proven(app, 'invitation', welcome, (why) => invitation(app, token, why), token) : null;
  if (going !== null) return going;
  const place = told('Invitation', 'Reading the invitation…');
  app.api.invitation(token).then(
    (offer) => {
      const entry = offered(app, token, offer);
      if (fault !== '') entry.querySelector('form')?.prepend(h('p', { class: 'fault', role: 'alert' }, fault));
      place.replaceWith(entry);
    },
    (error: unknown) => place.replaceWith(told('No invitation', error instanceof ApiError ? entryFault(error) : faultText(error), toSignIn())));
  return place;
}

function offered(app: App, token: string, offer: InvitationOffer): HTMLElement {
  const { auth, api } = app;
  const roles = offer.roles.map(format.words).join(' and ');
  const intro = `${offer.tenant} invites ${offer.email} as ${roles}.`;
  const accepted = (tokens: Tokens) => {
    auth.adopt(tokens);
    replace(home(app));
  };
  const byProvider = (form: () => HTMLElement) => providerButton(app, 'invitation', 'Go on with',
    (error) => showEntryFault(form(), error instanceof ApiError ? entryFault(error) : faultText(error)));
  if (auth.state === 'in') {
    const mine = auth.me?.email.toLowerCase() === offer.email.toLowerCase();
    if (!mine) {
      return told('Invitation', `${intro} You are signed in as ${auth.me?.email ?? ''}: sign out first.`,
        h('button', { type: 'button', onclick: () => void auth.signOut().catch(app.report) }, 'Sign out'));
    }
    return entryForm({
      title: `Join ${offer.tenant}`, intro, fields: [], action: 'Accept',
      submit: async () => accepted(await api.acceptInvitation(token)),
    });
  }
  if (offer.known) {
    const password = field('Password', passwordInput('password', 'current-password'));
    const codeInput = textInput('', /^$|^[A-Za-z0-9-]{6,40}$/, 'Six digits, or one of the recovery codes.');
    const code = field('Code', codeInput, 'Only where you have a second factor.');
    const form: HTMLElement = entryForm({
      title: `Join ${offer.tenant}`, intro: `${intro} Sign in to accept.`, fields: [password.element, code.element], action: 'Sign in and accept', further: byProvider(() => form),
      submit: async () => {
        // The page that follows the sign-in is this one again; it has the button to accept.
        await auth.signIn(offer.email, password.input.value, code.input.value.trim());
      },
    });
    return form;
  }
  const name = fullName();
  const password = newPassword(app);
  const form: HTMLElement = entryForm({
    title: `Join ${offer.tenant}`, intro, fields: [name.element, password.element], action: 'Accept', further: byProvider(() => form),
    submit: async () => accepted(await api.acceptAsNew(token, name.input.value.trim(), password.input.value)),
  });
  return form;
}
