import { h } from '../dom';
import type { PageFactory } from '../page';

export const page: PageFactory = () => h('main', { class: 'page' });
