import type { App } from '../app';
import { changedValues, isOptional, kindOf, ownSchema, settingsOf, textOf, valueOf } from '../configuration';
import type {
  Configuration, ConfigurationDocument, ConfigurationLayer, ConfigurationSection, ConfigurationVersion, EffectiveSetting, Setting,
} from '../contract';
import { h, panel, setHidden, setText } from '../dom';
import * as format from '../format';
import { ApiError, faultText } from '../http';
import { ask, field, select, showFault, textInput } from './dialogs';
import { during, load } from './load';

export interface ConfigurationPlace {
  /** The layer that is written. */
  layer: 'User' | 'Tenant';
  /** Which sections are shown. */
  wants: (section: string) => boolean;
}

/** Forms of the sections: each setting with what counts and which layer says it, and the versions there were. */
export function configurationView(app: App, { layer, wants }: ConfigurationPlace, signal: AbortSignal): HTMLElement {
  const { store, api, auth } = app;
  // Where there is no sign-in, the service calls its one user so.
  const user = layer === 'Tenant' ? null : (auth.me?.id ?? 'owner');
  const place = h('div', { class: 'column' });
  const forms: { isTouched: () => boolean }[] = [];
  const read = () => load(place, () => Promise.all([api.configurationSections(), api.configuration(user)]), ([sections, configuration]) => {
    forms.length = 0;
    return sections.filter(({ section }) => wants(section)).flatMap((section) => {
      const settings = settingsOf(section, layer);
      if (settings.length === 0) return [];
      const form = sectionForm(app, { section, settings, configuration, user, layer, again: () => void read() });
      forms.push(form);
      return [form.element];
    });
  }, signal);
  void read();
  // Changed elsewhere: what somebody is writing here stays, and is refused when it is saved.
  let seen = store.configurationVersion;
  store.view(['configuration'], () => {
    if (seen === store.configurationVersion) return;
    seen = store.configurationVersion;
    if (!forms.some((form) => form.isTouched())) void read();
  }, signal);
  return place;
}

interface SectionForm {
  section: ConfigurationSection;
  settings: readonly Setting[];
  configuration: Configuration;
  user: string | null;
  layer: ConfigurationLayer;
  again: () => void;
}

const layerNames: Record<ConfigurationLayer, string> = { Default: 'default', Tenant: 'tenant', User: 'mine', Strategy: 'strategy' };

function sectionForm(app: App, { section, settings, configuration, user, layer, again }: SectionForm) {
  const { api, say, report } = app;
  const document = configuration.documents.find((each) => each.section === section.section && each.strategy === null && !each.removed);
  const changed = new Map<string, unknown>();
  const reset = new Set<string>();
  const faults = new Map<string, string>();

  const comment = field('Why', textInput('', /^.{0,200}$/, 'At most 200 characters.'), 'For the record; may be left empty');
  const save = h('button', { type: 'submit', class: 'primary', disabled: true }, 'Save');
  const fault = h('p', { class: 'fault', role: 'alert' });
  const renew = h('button', { type: 'button', hidden: true, onclick: again }, 'Read the current one');
  const touched = () => changed.size > 0 || reset.size > 0;
  const update = () => (save.disabled = !touched());

  const inputs = new Map<string, HTMLElement>();
  const rows = settings.map((setting) => settingRow(
    setting, configuration.effective[section.section]?.[setting.name], document,
    (text) => {
      const read = valueOf(text, setting.schema);
      reset.delete(setting.name);
      changed.delete(setting.name);
      faults.delete(setting.name);
      if ('fault' in read) faults.set(setting.name, read.fault);
      changed.set(setting.name, 'value' in read ? read.value : null);
      update();
    },
    () => {
      changed.delete(setting.name);
      faults.delete(setting.name);
      reset.add(setting.name);
      update();
    }, inputs));

  const aside = document ? `version ${document.version}, ${document.changedBy}` : 'nothing said here';
  const { element, body } = panel(`configuration-${section.section}`, section.title, h('span', { class: 'aside' }, aside));
  const form = h('form', { class: 'pad stack', novalidate: true },
    h('p', { class: 'hint' }, section.description), h('div', { class: 'settings' }, ...rows), comment.element,
    h('div', { class: 'line' }, save, renew), fault);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    setText(fault, '');
    for (const [name, input] of inputs) showFault(input, faults.get(name) ?? '');
    const first = [...faults.keys()][0];
    if (first !== undefined) {
      inputs.get(first)?.focus();
      return;
    }
    const values = changedValues(document, changed, reset);
    const why = comment.input.value.trim();
    void during(save, async () => {
      if (document) await api.changeConfiguration(layer, document.id, document.version, values, why);
      else await api.createConfiguration(layer, section.section, values, why);
      say(`${section.title} is saved.`);
      again();
    }, (error) => {
      const isConflict = error instanceof ApiError && (error.reason === 'VersionConflict' || error.reason === 'ConfigurationExists');
      setHidden(renew, !isConflict);
      setText(fault, isConflict ? 'Somebody has changed this meanwhile. Read the current one, and change it anew.' : faultText(error));
      for (const [path, texts] of error instanceof ApiError ? Object.entries(error.errors) : []) {
        const input = inputs.get(path.replace(/^values\./, '').split('.')[0]!);
        if (input) showFault(input, texts.join(' '));
      }
    }).then(update);
  });
  body.append(form);
  if (document) body.append(versionsView(app, { document, user, layer, again, report }));
  return { element, isTouched: touched };
}

/** One setting: its input, what counts now, and the way back to what the layer below says. */
function settingRow(
  { name, title, description, schema, secret }: Setting, effective: EffectiveSetting | undefined, document: ConfigurationDocument | undefined,
  change: (text: string) => void, drop: () => void, inputs: Map<string, HTMLElement>,
): HTMLElement {
  const isOwn = secret ? document?.secrets[name] !== undefined : document !== undefined && name in document.values;
  const value = isOwn && !secret ? document!.values[name] : effective?.value;
  const source = h('span', { class: 'status', 'data-layer': effective?.source ?? 'Default' }, layerNames[effective?.source ?? 'Default']);
  const back = h('button', { type: 'button', class: 'plain link', hidden: !isOwn }, secret ? 'Remove' : 'Say nothing');
  const kind = secret ? 'text' : kindOf(schema);
  const further = [source, back];

  const finish = (element: HTMLElement) => {
    const row = h('div', { class: 'setting' }, element, h('div', { class: 'line' }, ...further));
    back.setAttribute('aria-label', `${secret ? 'Remove' : 'Say nothing here of'} ${title}`);
    back.addEventListener('click', () => {
      drop();
      row.classList.add('dropped');
      setText(source, secret ? 'is removed by saving' : 'goes back by saving');
      setHidden(back, true);
    });
    element.addEventListener('input', () => {
      row.classList.remove('dropped');
      setText(source, 'not saved');
    });
    return row;
  };

  if (kind === 'choices') {
    const chosen = new Set(Array.isArray(value) ? value.map(String) : []);
    const group = h('fieldset', { class: 'checks' }, h('legend', {}, title), description !== '' && h('p', { class: 'hint' }, description),
      ...(ownSchema(schema).items?.enum ?? []).map((each) => {
        const box = h('input', { type: 'checkbox', checked: chosen.has(String(each)) });
        box.addEventListener('change', () => {
          if (box.checked) chosen.add(String(each));
          else chosen.delete(String(each));
          change(JSON.stringify([...chosen]));
        });
        return h('label', { class: 'check' }, box, choiceText(String(each)));
      }));
    inputs.set(name, group);
    return finish(group);
  }

  const json = value === undefined || value === null ? '' : JSON.stringify(value, null, 2);
  const input = kind === 'choice' || kind === 'switch'
    ? select([
        ...(isOptional(schema) ? [['', 'None'] as const] : []),
        ...(kind === 'switch' ? [['true', 'Yes'], ['false', 'No']] as const
          : (ownSchema(schema).enum ?? []).filter((each) => each !== null).map((each) => [textOf(each), choiceText(textOf(each))] as const)),
      ], textOf(value))
    : kind === 'json'
      ? h('textarea', { rows: 4, spellcheck: 'false', autocomplete: 'off' }, json)
      : h('input', {
          type: secret ? 'password' : kind === 'number' ? 'number' : 'text', step: 'any', value: secret ? '' : textOf(value),
          autocomplete: secret ? 'new-password' : 'off',
          placeholder: secret ? (effective?.set ? 'Set; it is never shown' : 'Not set') : '', spellcheck: 'false',
        });
  const { element } = field(title, input, description);
  input.addEventListener('input', () => change(input.value));
  inputs.set(name, input);
  return finish(element);
}

/** A code as words; what is no code, such as `utc`, stays as it is. */
function choiceText(code: string): string {
  return /^[A-Z][a-z]/.test(code) ? format.capital(format.words(code)) : code;
}

interface VersionsPlace {
  document: ConfigurationDocument;
  user: string | null;
  layer: ConfigurationLayer;
  again: () => void;
  report: (error: unknown) => void;
}

/** Every version there was: what it changed, and the way back to it. Read when it is opened. */
function versionsView({ api, store, say }: App, { document, user, layer, again, report }: VersionsPlace): HTMLElement {
  const list = h('div', {});
  const details = h('details', { class: 'pad' }, h('summary', {}, 'Versions'), list);
  const reader = new AbortController();

  const versionItem = (version: ConfigurationVersion, before: ConfigurationVersion | undefined) => {
    const { number, at, by, comment, action, restores } = version;
    const changes = h('div', {});
    const what = `${format.words(action)}${restores === null ? '' : ` to ${restores}`}`;
    const why = comment === '' ? '' : `: ${comment}`;
    const show = h('button', { type: 'button', class: 'plain link' }, 'What it changed');
    show.addEventListener('click', () => void load(changes, () => api.configurationDifference(user, document.id, before!.number, number),
      (differences) => [
      h('ul', { class: 'differences' }, ...differences.map(({ setting, from, to }) =>
        h('li', {}, h('strong', {}, setting), ` ${textOf(from) || format.noValue} → ${textOf(to) || format.noValue}`))),
    ], reader.signal));
    const back: HTMLButtonElement = h('button', { type: 'button' }, 'Roll back to this');
    back.addEventListener('click', () => void during(back, async () => {
      if (!(await ask(`Roll back to version ${number}?`, 'Its values become the newest version. Nothing is lost: every version stays.',
        'Roll back'))) return;
      await api.rollbackConfiguration(layer, document.id, document.version, number);
      say(`Version ${number} counts again.`);
      again();
    }, report));
    return h('li', {},
      h('div', { class: 'line' }, h('strong', {}, `Version ${number}`), h('span', { class: 'hint' },
        `${what} by ${by}, ${format.moment(at, store.zone)}${why}`),
      before && show, number !== document.version && back), changes);
  };

  details.addEventListener('toggle', () => {
    if (!details.open) return;
    void load(list, () => api.configurationVersions(user, document.id), (versions) => [
      h('ol', { class: 'versions' }, ...versions.map((version, index) => versionItem(version, versions[index + 1]))),
    ], reader.signal);
  });
  return details;
}
