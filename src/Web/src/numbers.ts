export interface NumberRange {
  minimum?: number;
  maximum?: number;
  /** Not the minimum itself. */
  above?: boolean;
  whole?: boolean;
  required?: boolean;
}

/** What is wrong with a number as text; empty when nothing is. */
export function numberFault(text: string, range: NumberRange): string {
  if (text.trim() === '') return range.required ? 'A number is needed.' : '';
  const value = Number(text);
  if (!Number.isFinite(value)) return 'Not a number.';
  if (range.whole && !Number.isInteger(value)) return 'A whole number is needed.';
  const { minimum, maximum } = range;
  const tooSmall = minimum !== undefined && (range.above ? value <= minimum : value < minimum);
  const tooLarge = maximum !== undefined && value > maximum;
  if (!tooSmall && !tooLarge) return '';
  if (minimum !== undefined && maximum !== undefined) {
    return range.above ? `Must be above ${minimum} and at most ${maximum}.` : `Must be from ${minimum} to ${maximum}.`;
  }
  return tooSmall ? `Must be ${range.above ? 'above' : 'at least'} ${minimum}.` : `Must be at most ${maximum}.`;
}
