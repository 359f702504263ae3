import type { ConfigurationDocument, ConfigurationLayer, ConfigurationSection, Setting, ValueSchema } from './contract';

/** How a setting is asked for. */
export type SettingKind = 'choice' | 'choices' | 'switch' | 'number' | 'text' | 'json';

function types({ type }: ValueSchema): string[] {
  return type === undefined ? [] : typeof type === 'string' ? [type] : type;
}

/** The schema of the value where there is one. */
export function ownSchema(schema: ValueSchema): ValueSchema {
  return schema.anyOf?.find((each) => !isOptional(each)) ?? schema;
}

export function isOptional(schema: ValueSchema): boolean {
  return types(schema).includes('null') || (schema.enum?.includes(null) ?? false) || (schema.anyOf?.some(isOptional) ?? false);
}

export function kindOf(given: ValueSchema): SettingKind {
  const schema = ownSchema(given);
  const [type] = types(schema).filter((each) => each !== 'null');
  if (schema.enum) return 'choice';
  if (type === 'boolean') return 'switch';
  if (type === 'number' || type === 'integer') return 'number';
  if (type === 'array' && schema.items?.enum) return 'choices';
  return type === 'string' ? 'text' : 'json';
}

/** A value as its field shows it. */
export function textOf(value: unknown): string {
  return value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The value of what was written, or what is wrong with it. What cannot be seen here the service says. */
export function valueOf(text: string, given: ValueSchema): { value: unknown } | { fault: string } {
  const schema = ownSchema(given);
  const kind = kindOf(schema);
  if (text.trim() === '' && kind !== 'text') return isOptional(given) ? { value: null } : { fault: 'A value is needed.' };
  switch (kind) {
    case 'choice': {
      const value = schema.enum?.find((each) => textOf(each) === text);
      return value === undefined ? { fault: 'Not one of the choices.' } : { value };
    }
    case 'switch':
      return { value: text === 'true' };
    case 'number': {
      const value = Number(text);
      const { minimum, maximum } = schema;
      if (!Number.isFinite(value)) return { fault: 'Not a number.' };
      if (types(schema).includes('integer') && !Number.isInteger(value)) return { fault: 'A whole number is needed.' };
      if ((minimum !== undefined && value < minimum) || (maximum !== undefined && value > maximum)) {
        const bounds = [minimum !== undefined && `at least ${minimum}`, maximum !== undefined && `at most ${maximum}`];
        return { fault: `Must be ${bounds.filter(Boolean).join(', ')}.` };
      }
      return { value };
    }
    case 'text': {
      if (text === '' && isOptional(given)) return { value: null };
      const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
      if (text.length < minLength) return { fault: `At least ${minLength} characters.` };
      return text.length > maxLength ? { fault: `At most ${maxLength} characters.` } : { value: text };
    }
    case 'choices':
    case 'json':
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { fault: 'Not JSON.' };
      }
  }
}

/** Those that a layer may say. */
export function settingsOf({ settings }: ConfigurationSection, layer: ConfigurationLayer): Setting[] {
  return settings.filter(({ layers }) => layers.includes(layer));
}

/** The values to write: what was there, with what was changed, without what is to be said no more. A secret that is left out stays. */
export function changedValues(
  document: ConfigurationDocument | undefined, changed: ReadonlyMap<string, unknown>, reset: ReadonlySet<string>,
): Record<string, unknown> {
  const values = { ...document?.values, ...Object.fromEntries(changed) };
  for (const name of reset) {
    // Null takes a secret away; any other value is taken away by leaving it out.
    if (document?.secrets[name] !== undefined) values[name] = null;
    else delete values[name];
  }
  return values;
}
