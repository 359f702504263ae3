import { Api } from './api';
import { ApiError, faultText } from './http';
import { Chain } from './chain';
import type { BarPush, ChangedJob, Decision, FillPush, Gap, Job, JournalPush, OrderPush, RunInput, SearchInput, TimeFrame, Trial } from './contract';
import { Hub } from './hub';
import { addressOf, hasEnded } from './jobs';
import { isOpen } from './orders';
import type { Collection, JobAddress } from './routes';
import { remember } from './settings';
import type { Store } from './store';

const barCount = 500;
const decisionCount = 50;
const fillCount = 200;
const jobCount = 50;
const trialPage = 500;
const trialLimit = 10_000;

/** Sessions open and close, feeds come and go: what no push tells is asked for this often. */
const slowRefresh = 30_000;

/** How often what nobody pushes is read: another member's things. */
const foreignRefresh = 5_000;

/**
 * Keeps the store true: loads, subscribes, and takes what is pushed. After a reconnect, to whichever process, it reads the journal on from what it has
 * seen, and loads again only what no sequence tells of.
 */
export class Session {
  readonly #store: Store;
  readonly #api: Api;
  readonly #hub: Hub;
  readonly #report: (error: unknown) => void;
  readonly #chain = new Chain();
  /** Everything was read once. */
  #loaded = false;
  /** This connection has subscribed. */
  #subscribed = false;
  /** The journal is being read on, as something was missed. */
  #readingOn = false;
  #loads = 0;
  #barLoads = 0;
  #accountLoads = 0;
  /** Jobs and data sets are looked at: they are read with everything else from now on. */
  #jobsWanted = false;
  #earlyBars: BarPush[] = [];
  #earlyDecisions: Decision[] = [];
  #slow: ReturnType<typeof setInterval> | undefined;
  /** Another member's things are shown: the hub tells of one's own alone, so they are read again and again. */
  readonly #isForeign: boolean;

  constructor(store: Store, api: Api, token: () => Promise<string | null>, report: (error: unknown) => void, isForeign = false) {
    this.#isForeign = isForeign;
    this.#store = store;
    this.#api = api;
    this.#report = report;
    this.#hub = new Hub({
      quotes: (quotes) => this.#heard(() => store.takeQuotes(quotes, Date.now())),
      bars: (bars) => this.#heard(() => this.#takeBars(bars)),
      journal: (push) => this.#heard(() => this.#takeJournal(push)),
      account: (account) => this.#heard(() => store.takeAccount(account)),
      job: (job) => this.#heard(() => {
        if (!isForeign) store.takeJob(job, Date.now());
      }),
      configuration: () => this.#heard(() => store.configurationChanged()),
      gap: (gap) => this.#heard(() => this.#takeGap(gap)),
      connected: () => {
        this.#subscribed = false;
        void (this.#loaded ? this.#readOn() : this.#loadAll());
        if (this.#jobsWanted) void this.#guard(this.#loadJobs());
        // It may have changed while nobody told.
        store.configurationChanged();
      },
      state: (connection) => store.setConnection(connection),
      // A request that needs a sign-in finds out; what it answers, or that it fails, is of no matter here.
      refused: () => void api.me().catch(() => {}),
    }, token);
  }

  start(): void {
    this.#hub.start();
    this.#slow ??= setInterval(() => {
      if (this.#store.connection === 'connected') void this.#quietly(this.#isForeign ? this.#loadForeign() : this.#loadSlow());
    }, this.#isForeign ? foreignRefresh : slowRefresh);
  }

  /** Nothing more is heard until it is started again. */
  stop(): void {
    this.#hub.stop();
  }

  selectSymbol(symbol: string): void {
    if (symbol === this.#store.symbol) return;
    this.#store.symbol = symbol;
    remember('symbol', symbol);
    this.#store.touch('selection');
    void this.loadBars();
  }

  selectTimeFrame(timeFrame: TimeFrame): void {
    if (timeFrame === this.#store.timeFrame) return;
    this.#store.timeFrame = timeFrame;
    remember('timeFrame', timeFrame);
    this.#store.touch('selection');
    void this.loadBars();
  }

  selectAccount(name: string): void {
    this.#store.accountName = name;
    remember('account', name);
    this.#store.touch('accounts');
    void this.#guard(this.#subscribe().then(() => this.#loadAccountHistory()));
  }

  async loadBars(): Promise<void> {
    const store = this.#store;
    const { symbol, timeFrame } = store;
    if (!symbol) return;
    const load = ++this.#barLoads;
    this.#earlyBars = [];
    try {
      const answer = await this.#api.bars(symbol, timeFrame, barCount);
      if (load !== this.#barLoads) return;
      store.bars.reset(answer.bars);
      store.barsFault = '';
      // What was pushed while the answer was under way is newer than it.
      for (const bar of this.#earlyBars) store.bars.push(bar);
    } catch (error) {
      if (load !== this.#barLoads) return;
      store.bars.reset([]);
      store.barsFault = faultText(error);
    }
    store.touch('bars');
  }

  async loadOlderDecisions(): Promise<void> {
    const before = this.#store.decisionsNext;
    if (before === null) return;
    const page = await this.#api.decisions(decisionCount, before);
    this.#store.decisionsNext = cursor(page.next);
    this.#store.takeDecisions(page.decisions);
  }

  /** After a change: what the lists say from that position of the journal on. */
  async refresh(minPosition?: number): Promise<void> {
    const [accounts, strategies] = await Promise.all([this.#api.accounts(minPosition), this.#api.strategies(minPosition)]);
    const selected = this.#store.accountName;
    for (const account of accounts) this.#store.takeAccount(account);
    this.#store.setStrategies(strategies);
    if (this.#store.accountName !== selected) this.selectAccount(this.#store.accountName);
  }

  /** Jobs and data sets as they are now, and from here on after every reconnect. */
  openJobs(): void {
    this.#jobsWanted = true;
    void this.#guard(this.#loadJobs());
  }

  async loadOlderJobs(collection: Collection): Promise<void> {
    const store = this.#store;
    const before = store.jobsNext[collection];
    if (before === null) return;
    const page = await this.#api.jobs(collection, jobCount, before);
    store.jobs.takePage(page.items, collection, false, page.next === null, Date.now());
    store.jobsNext[collection] = cursor(page.next);
    store.touch('jobs');
  }

  async loadDataSets(): Promise<void> {
    this.#store.setDataSets((await this.#api.dataSets()).items);
  }

  /** A job with its request. */
  async loadJob(address: JobAddress): Promise<Job> {
    const asked = Date.now();
    const job = await this.#api.job(address);
    this.#store.takeJob(job, asked);
    return this.#store.jobs.get(job.id)?.job ?? job;
  }

  /** All trials of a search, the best first; a search of more has the best of them here. */
  async loadTrials(id: string): Promise<{ trials: Trial[]; isWhole: boolean }> {
    const trials: Trial[] = [];
    let next: string | null | undefined;
    do {
      const page = await this.#api.trials(id, trialPage, next ?? undefined);
      trials.push(...page.items);
      next = cursor(page.next);
    } while (next !== null && trials.length < trialLimit);
    return { trials, isWhole: next === null };
  }

  async startJob(collection: Collection, input: RunInput | SearchInput): Promise<ChangedJob> {
    const job = await this.#api.startJob(collection, input);
    this.#store.takeJob({ ...job, request: input }, Date.now());
    return job;
  }

  /** Cancels a job that waits or runs, and takes away one that has ended. */
  async endJob(job: Job): Promise<void> {
    const answer = await this.#api.endJob(addressOf(job));
    if (answer) this.#store.takeJob(answer, Date.now());
    else if (hasEnded(job)) this.#store.removeJob(job.id);
  }

  async #loadJobs(): Promise<void> {
    const store = this.#store;
    const asked = Date.now();
    const read = async (collection: Collection) => {
      const page = await this.#api.jobs(collection, jobCount);
      const next = cursor(page.next);
      store.jobs.takePage(page.items, collection, true, next === null, asked);
      store.jobsNext[collection] = next;
    };
    await Promise.all([read('backtests'), read('optimisations'), this.loadDataSets()]);
    store.jobsLoaded = true;
    store.touch('jobs');
  }

  async #loadAll(): Promise<void> {
    const store = this.#store;
    const load = ++this.#loads;
    this.#heard(() => {});
    await this.#guard(
      (async () => {
        const [system, instruments, accounts] = await Promise.all([this.#api.system(), this.#api.instruments(), this.#api.accounts()]);
        if (load !== this.#loads) return;
        store.system = system;
        store.touch('system');
        store.setInstruments(instruments);
        store.setAccounts(accounts);
        // Subscribed before the lists are read: what happens in between is pushed, and nothing is missed.
        this.#earlyDecisions = [];
        await this.#subscribe();
        const [strategies, definitions, decisions] = await Promise.all([
          this.#api.strategies(), this.#api.definitions(), this.#api.decisions(decisionCount), this.loadBars(), this.#loadAccountHistory(),
        ]);
        if (load !== this.#loads) return;
        this.#loaded = true;
        store.setStrategies(strategies);
        store.definitions = definitions;
        store.touch('definitions');
        store.setDecisions(decisions.decisions, cursor(decisions.next));
        store.takeDecisions(this.#earlyDecisions);
      })(),
    );
  }

  async #loadForeign(): Promise<void> {
    const { accountName } = this.#store;
    const [decisions, fills] = await Promise.all([
      this.#api.decisions(decisionCount), accountName === '' ? null : this.#api.fills(accountName, fillCount), this.#loadSlow(), this.refresh(),
    ]);
    this.#store.takeDecisions(decisions.decisions);
    if (fills && accountName === this.#store.accountName) this.#store.takeFills(fills.fills);
  }

  async #loadSlow(): Promise<void> {
    const [system, instruments, strategies] = await Promise.all([this.#api.system(), this.#api.instruments(), this.#api.strategies()]);
    this.#store.system = system;
    this.#store.touch('system');
    this.#store.setInstruments(instruments);
    this.#store.setStrategies(strategies);
  }

  /** After a reconnect: decisions, orders and fills come by the journal; all else is read again. */
  async #readOn(): Promise<void> {
    this.#heard(() => {});
    await this.#guard(
      (async () => {
        await this.#subscribe();
        await Promise.all([this.#loadSlow(), this.refresh(), this.loadBars(), this.#loadEquity()]);
      })(),
    );
  }

  /** A connection goes on by itself; a new one, or one that left something out, is told what was seen. */
  async #subscribe(fromSeen = !this.#subscribed): Promise<void> {
    const store = this.#store;
    const snapshot = await this.#hub.subscribe({
      symbols: [...store.instruments.keys()], account: this.#isForeign ? null : store.accountName || null, after: fromSeen ? this.#chain.seen : null,
    });
    this.#subscribed = true;
    this.#chain.begin(snapshot.sequence);
    store.resetQuotes(snapshot.quotes, Date.now());
    if (snapshot.account) store.takeAccount(snapshot.account);
  }

  async #loadAccountHistory(): Promise<void> {
    const store = this.#store;
    store.fills = null;
    store.touch('fills');
    const name = store.accountName;
    const equity = this.#loadEquity();
    if (!name) return;
    try {
      const { fills } = await this.#api.fills(name, fillCount);
      if (name === store.accountName) store.takeFills(fills);
    } catch (error) {
      if (name === store.accountName) store.takeFills([]);
      this.#report(error);
    }
    await equity;
  }

  async #loadEquity(): Promise<void> {
    const store = this.#store;
    const load = ++this.#accountLoads;
    store.equity.reset([]);
    store.equityFault = '';
    store.equityLoading = store.accountName !== '';
    store.touch('equity');
    if (!store.accountName) return;
    try {
      const equity = await this.#api.equity(store.accountName);
      if (load !== this.#accountLoads) return;
      const live = store.equity.items;
      store.equity.reset([...equity, ...live]);
    } catch (error) {
      if (load !== this.#accountLoads) return;
      store.equityFault = faultText(error);
    }
    store.equityLoading = false;
    store.touch('equity');
  }

  #takeJournal(push: JournalPush): void {
    const place = this.#chain.take(push);
    if (place === 'hole') void this.#readHole();
    if (place !== 'next' || this.#isForeign) return;
    if (push.decisions.length > 0) this.#takeDecisions(push.decisions);
    if (push.orders.length > 0) this.#takeOrders(push.orders);
    if (push.fills.length > 0) this.#takeFills(push.fills);
    // Our own changes come back this way, too: reading a list once more costs less than knowing whose change it was.
    if (push.lists) void this.#quietly(this.refresh(push.lists.minPosition));
  }

  /** What was missed is pushed anew; what comes until then is left, as it is part of it. */
  async #readHole(): Promise<void> {
    if (this.#readingOn) return;
    this.#readingOn = true;
    await this.#guard(this.#subscribe(true));
    this.#readingOn = false;
  }

  #takeGap(gap: Gap): void {
    this.#chain.restart(gap.sequence);
    void this.#loadAll();
  }

  #takeBars(bars: BarPush[]): void {
    const store = this.#store;
    for (const bar of bars) {
      if (bar.symbol !== store.symbol || bar.timeFrame !== store.timeFrame) continue;
      this.#earlyBars.push(bar);
      if (this.#earlyBars.length > 100) this.#earlyBars.shift();
      if (store.bars.push(bar)) store.touch('bars');
    }
  }

  #takeDecisions(decisions: Decision[]): void {
    this.#earlyDecisions = [...this.#earlyDecisions, ...decisions].slice(-100);
    this.#store.takeDecisions(decisions);
  }

  #takeFills(fills: FillPush[]): void {
    this.#store.takeFills(fills.filter((fill) => this.#isSelected(fill.account)));
  }

  /** An order that opened or ended: the account's own view follows within a tenth of a second, this shows it at once. */
  #takeOrders(orders: OrderPush[]): void {
    this.#store.takeOrders(orders);
    const account = this.#store.account;
    if (!account) return;
    const working = new Map(account.workingOrders.map((order) => [order.ordinal, order]));
    for (const order of orders) {
      if (order.account !== undefined && !this.#isSelected(order.account)) continue;
      if (isOpen(order)) working.set(order.ordinal, order);
      else working.delete(order.ordinal);
    }
    this.#store.takeAccount({ ...account, workingOrders: [...working.values()] });
  }

  #isSelected(account: string): boolean {
    return account === this.#store.accountName || account === this.#store.account?.key;
  }

  #heard(take: () => void): void {
    this.#store.lastMessage = Date.now();
    take();
  }

  async #guard(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      // A connection lost meanwhile is shown as such, and loads again when it is back.
      if (this.#store.connection === 'connected') this.#report(error);
    }
  }

  async #quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 0) this.#report(error);
    }
  }
}

function cursor(next: string | number | null | undefined): string | null {
  return next === null || next === undefined ? null : String(next);
}

