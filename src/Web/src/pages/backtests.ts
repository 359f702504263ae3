import { h } from '../dom';
import type { PageFactory } from '../page';
import { dataSetsView } from '../views/dataSets';
import { jobsView } from '../views/jobs';

/** What was and is computed, and the data for it. */
export const page: PageFactory = (app, _route, signal) => {
  app.session.openJobs();
  return h('main', { class: 'page two' },
    h('div', { class: 'column' }, jobsView(app, signal)),
    h('div', { class: 'column beside' }, dataSetsView(app, { signal })));
};
