import type { App } from '../app';
import type { FeedStatus } from '../contract';
import { h, setAttribute, setHidden, setText } from '../dom';
import { moment } from '../format';

const speeds: readonly (readonly [string, number | null])[] = [
  ['real time', 1], ['60 x', 60], ['600 x', 600], ['3600 x', 3600], ['36000 x', 36_000], ['as fast as it goes', null],
];
const lookEveryMilliseconds = 1000;

/** Play and halt, where past data are the market; hidden where it goes by the clock. */
export function playbackView({ store, api, report }: App): HTMLElement {
  const meaning = 'Past data are played as the market: prices are real, the time is theirs.';
  const badge = h('strong', { class: 'recorded', title: meaning }, 'RECORDED');
  const button = h('button', { type: 'button', 'data-needs': 'Operate' });
  const speed = h('select', { 'aria-label': 'Speed' }, ...speeds.map(([text], index) => h('option', { value: String(index) }, text)));
  const progress = h('progress', { max: 1, value: 0, 'aria-label': 'How far the data have been played' });
  const time = h('span', { class: 'age' });
  const element = h('span', { class: 'playback', hidden: true }, badge, button, speed, progress, time);

  let status: FeedStatus | null = null;
  const render = () => {
    const playback = status?.playback ?? null;
    setHidden(element, playback === null);
    if (playback === null) return;
    const ended = playback.done >= playback.total;
    setText(button, ended ? 'Played' : playback.running ? 'Halt' : 'Play');
    button.disabled = ended;
    setAttribute(button, 'aria-pressed', String(playback.running && !ended));
    progress.value = playback.total === 0 ? 1 : playback.done / playback.total;
    setText(time, status!.time === null ? '' : moment(status!.time, store.zone));
    const chosen = speeds.findIndex(([, value]) => value === playback.speed);
    if (document.activeElement !== speed && chosen >= 0) speed.value = String(chosen);
  };
  const play = async (running: boolean) => {
    try {
      const playback = await api.play(running, speeds[Number(speed.value)]![1]);
      if (status !== null) status = { ...status, playback };
      render();
    } catch (error) {
      report(error);
    }
  };
  button.addEventListener('click', () => void play(!(status?.playback?.running ?? false)));
  speed.addEventListener('change', () => void play(status?.playback?.running ?? false));
  store.view(['zone'], render);

  // The simulated market says so once and is not asked again.
  const look = async () => {
    try {
      status = await api.feed();
      render();
      if (status.playback === null) return;
    } catch {
      // The page says by itself that the service is away.
    }
    setTimeout(() => void look(), lookEveryMilliseconds);
  };
  void look();
  return element;
}
