import type { App } from '../app';
import { installationScopes, personScopes, permissions, type Client } from '../contract';
import { h, panel } from '../dom';
import * as format from '../format';
import { field, numberInput, numberOf, openForm, textInput } from './dialogs';
import { grid } from './grid';
import { load } from './load';
import { removeButton } from './removal';

/** Services that sign in for the tenant, by a secret of their own. */
export function clientsView(app: App, signal: AbortSignal): HTMLElement {
  const { api, auth, store, say, report } = app;
  const create = h('button', { type: 'button', class: 'primary', onclick: () => open() }, 'New client');
  const { element, body } = panel('clients', 'Clients', create);

  const days = () => field('Days until the secret ends', numberInput(90, { minimum: 1, maximum: 366, whole: true, required: true }));
  const open = () => {
    const name = field('Name', textInput('', /^\S.{0,98}\S$|^\S$/, 'A name of at most 100 characters.'), 'Which service it is');
    const end = days();
    const boxes = permissions.filter((one) => !personScopes.includes(one) && (installationScopes.includes(one) ? auth.may('Administer') : auth.may(one)))
      .map((permission) => ({ permission, box: h('input', { type: 'checkbox' }) }));
    openForm({
      title: 'New client', action: 'Make the client',
      fields: [name.element, end.element, h('fieldset', { class: 'checks' }, h('legend', {}, 'Scopes'),
        ...boxes.map(({ permission, box }) => h('label', { class: 'check' }, box, format.capital(format.words(permission)))))],
      submit: async () => {
        const scopes = boxes.filter(({ box }) => box.checked).map(({ permission }) => permission);
        if (scopes.length === 0) throw new Error('A client without a scope may do nothing: choose one.');
        const { client, secret } = await api.addClient(name.input.value.trim(), scopes, numberOf(end.input)!);
        tell(client, secret);
        await read();
      },
    });
  };
  const rotate = (client: Client) => h('button', {
    type: 'button', 'aria-label': `New secret for ${client.name}`,
    onclick: () => {
      const end = days();
      const overlap = field('Hours that the old secret still counts', numberInput(24, { minimum: 0, maximum: 168, whole: true, required: true }),
        '0 where it may have leaked: it and all tokens of it end now');
      openForm({
        title: `Another secret for ${client.name}`, action: 'Make the secret', fields: [end.element, overlap.element],
        submit: async () => {
          const { client: changed, secret } = await api.rotateClient(client.id, numberOf(end.input)!, numberOf(overlap.input)!);
          tell(changed, secret);
          await read();
        },
      });
    },
  }, 'New secret');
  const remove = ({ id, name }: Client) => removeButton({
    name, text: 'The service is refused from now on, with the tokens that it has.', report,
    remove: async () => {
      await api.removeClient(id);
      await read();
    },
  });
  const read = () => load(body, () => api.clients(), (clients) => [
    h('p', { class: 'hint pad' }, 'A service that belongs to nobody gets tokens by its id and secret (OAuth 2.0 client credentials). They last ten minutes and '
      + 'may do what its scopes say.'),
    grid('Clients', [
      { title: 'Name' }, { title: 'Id', shown: 'wide' }, { title: 'Scopes' }, { title: 'Secret ends' }, { title: 'Made', shown: 'widest' },
      { title: 'Last used', shown: 'wide' }, { title: 'Action' },
    ], clients.map((client) => [
      client.name, h('code', {}, client.id), { text: client.scopes.map(format.words).join(', '), class: 'long' },
      format.moment(client.secrets.at(-1)!.expires, store.zone), format.date(client.created),
      client.lastUsed === null ? 'never' : format.moment(client.lastUsed, store.zone), h('span', { class: 'line' }, rotate(client), remove(client)),
    ]), 'No client yet.'),
  ], signal);

  const tell = ({ id, name }: Client, secret: string) => {
    const dialog = h('dialog', { 'aria-labelledby': 'client-title' },
      h('h2', { id: 'client-title' }, name),
      h('p', {}, 'The secret is shown this once. Copy it to where the service reads it.'),
      h('dl', { class: 'terms' }, h('div', {}, h('dt', {}, 'client_id'), h('dd', {}, h('code', {}, id))),
        h('div', {}, h('dt', {}, 'client_secret'), h('dd', {}, h('code', { class: 'secret' }, secret)))),
      h('div', { class: 'actions' },
        h('button', { type: 'button', onclick: () => void navigator.clipboard?.writeText(secret).then(() => say('Copied.'), report) }, 'Copy the secret'),
        h('button', { type: 'button', class: 'primary', autofocus: true, onclick: () => dialog.close() }, 'Done')));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  void read();
  return element;
}
