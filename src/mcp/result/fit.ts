import { truncateStrings } from './truncate.js';

/** Longest string of a result, in characters; smaller limits are tried while the whole is too large. */
const STRING_LIMITS = [6000, 2000, 600, 200, 80, 30] as const;

/** A value whose JSON has at most `maxChars` characters, its long strings cut as little as needed; or undefined. */
export function fitToSize(value: unknown, maxChars: number): { value: unknown; json: string } | undefined {
  const whole = JSON.stringify(value);
  // Nothing in a small result can be longer than the first limit, which spares most results the copy.
  if (whole.length <= Math.min(maxChars, STRING_LIMITS[0])) return { value, json: whole };
  for (const limit of STRING_LIMITS) {
    const cut = truncateStrings(value, limit);
    const json = JSON.stringify(cut);
    if (json.length <= maxChars) return { value: cut, json };
  }
  return undefined;
}
