import { h } from '../dom';
import type { PageFactory } from '../page';
import { killSwitchView } from '../views/killSwitch';
import { limitsView } from '../views/limits';

/** How close the account is to its limits, and the switch that stops everything. */
export const page: PageFactory = (app, _route, signal) =>
  h('main', { class: 'page two even' },
    h('div', { class: 'column' }, limitsView(app, signal)),
    h('div', { class: 'column' }, killSwitchView(app, signal)));
