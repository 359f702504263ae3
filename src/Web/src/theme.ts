import { recall, remember } from './settings';

export type Theme = 'light' | 'dark';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The theme on the screen: the chosen one, else the system's. */
export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light';
}

export function startTheme(changed: () => void): void {
  const chosen = recall('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
  dark.addEventListener('change', changed);
}

/** What holds where nothing was chosen in this browser. */
export function preferTheme(theme: Theme | 'system'): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function toggleTheme(): void {
  const next: Theme = currentTheme() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = next;
  remember('theme', next);
}

/** By theme and name: to ask for one has the page styled at once, which is dear in the middle of a frame. */
const colours = new Map<string, string>();

/** A colour of style.css as it is in the theme on the screen, for what draws on a canvas. */
export function colour(name: string): string {
  const key = `${currentTheme()} ${name}`;
  let known = colours.get(key);
  if (known === undefined) {
    const probe = document.createElement('span');
    probe.hidden = true;
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    known = getComputedStyle(probe).color;
    probe.remove();
    colours.set(key, known);
  }
  return known;
}
