import { h, panel } from '../dom';
import type { PageFactory } from '../page';
import { href } from '../routes';

export const page: PageFactory = () => {
  const { element, body } = panel('unknown', 'No such page');
  body.append(h('div', { class: 'empty' },
    h('p', {}, 'The address names no page of this console.'), h('a', { href: href({ page: 'trade' }) }, 'To trading')));
  return h('main', { class: 'page' }, element);
};
