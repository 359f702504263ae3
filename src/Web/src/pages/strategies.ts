import { h, panel } from '../dom';
import { rememberDraft } from '../drafts';
import type { PageFactory } from '../page';
import { go } from '../router';
import { href } from '../routes';
import { templates } from '../templates';
import { strategiesView } from '../views/strategies';

/** What runs, what strategies can be made of, and rules to begin from. */
export const page: PageFactory = (app, _route, signal) => {
  const { store } = app;
  const write = h('a', { class: 'button primary', href: href({ page: 'rule', source: { kind: 'draft' } }) }, 'Write a rule');
  const { element: rules, body: rulesBody } = panel('rules', 'Rules', write);
  rulesBody.append(
    h('p', { class: 'hint pad' }, 'A rule says in words when to enter and to leave, how to protect and how much to trade. Begin with one of these:'),
    h('ul', { class: 'choices' }, ...templates.map((template) => h('li', {},
      h('button', {
        type: 'button', class: 'plain',
        onclick: () => {
          rememberDraft({ origin: href({ page: 'rule', source: { kind: 'draft' } }), text: template.text, parameters: {}, name: template.name });
          go({ page: 'rule', source: { kind: 'draft' } });
        },
      }, template.title)))));

  const { element: catalogue, body: catalogueBody } = panel('catalogue', 'Catalogue');
  const definitions = h('ul', { class: 'choices' });
  catalogueBody.append(definitions);
  store.view(['definitions'], () => definitions.replaceChildren(...store.definitions.map(({ name, title, description, parameters }) => h('li', {},
    h('h3', {}, title),
    h('p', { class: 'hint' }, description),
    h('p', { class: 'hint' }, `${name}: ${parameters.map((parameter) => `${parameter.name} ${parameter.default}`).join(', ')}`)))), signal);

  return h('main', { class: 'page two' },
    h('div', { class: 'column' }, strategiesView(app, { signal, links: true })),
    h('div', { class: 'column beside' }, rules, catalogue));
};
