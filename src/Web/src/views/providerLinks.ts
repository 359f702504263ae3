import type { App } from '../app';
import type { ProviderLinks } from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import * as format from '../format';
import { faultText } from '../http';
import { leaveFor } from '../provider';
import { field, openForm, passwordInput } from './dialogs';
import { grid } from './grid';
import { load } from './load';
import { removeButton } from './removal';

/** By which sign-ins of the external provider one gets in. Hidden where there is neither a provider nor a link. */
export function providerLinksView(app: App, signal: AbortSignal): HTMLElement {
  const { api, provider, store, say, report } = app;
  const { element, body } = panel('provider', 'Sign-in elsewhere');
  const fault = h('p', { class: 'fault pad', role: 'alert' });

  const remove = (id: string, name: string) => removeButton({
    name, text: 'That sign-in no longer gets you in here.', action: 'Unlink', report,
    remove: async () => {
      await api.removeProviderLink(id);
      await read();
    },
  });
  const begin = (name: string, hasPassword: boolean) => {
    const go = async (password: string | null) => leaveFor((await api.startProviderLink(password)).address, 'link', '#/settings/security');
    if (!hasPassword) {
      void go(null).catch(report);
      return;
    }
    const password = field('Password', passwordInput('password', 'current-password'));
    openForm({ title: `Link ${name}`, action: `Go to ${name}`, fields: [password.element], submit: () => go(password.input.value) });
  };
  const show = ({ provider: name, hasPassword, links }: ProviderLinks) => {
    setHidden(element, name === null && links.length === 0);
    return [
      h('p', { class: 'hint pad' }, 'A linked sign-in gets you in without the password of this service. Your second factor is asked for all the same, unless whoever runs '
        + 'this installation relies on that of the other side.'),
      grid('Linked sign-ins', [{ title: 'As' }, { title: 'At', shown: 'wide' }, { title: 'Since' }, { title: 'Action' }],
        links.map(({ id, email, issuer, since }) => [email || 'no address told', issuer, format.moment(since, store.zone), remove(id, email || issuer)]),
        'No sign-in is linked.'),
      ...(name === null ? [] : [h('div', { class: 'pad line' }, h('button', { type: 'button', onclick: () => begin(name, hasPassword) }, `Link ${name}`))]),
      fault,
    ];
  };
  const read = () => load(body, () => api.providerLinks(), show, signal);

  const answer = provider.take('link');
  if (answer === null || typeof answer === 'string') {
    setText(fault, answer ?? '');
    void read();
  } else {
    api.completeProviderLink(answer).then(() => say('The sign-in is linked.'), (error: unknown) => setText(fault, faultText(error))).finally(() => void read());
  }
  return element;
}
