/** Arguments of the next call. A cut id or cursor would be worse than none. */
const HANDLE = /^(id|.*_ids?|next_page|next_since|type)$/;

/** The longest id or cursor; a longer text under such a name is something else. */
const MAX_HANDLE_CHARS = 2048;

/** Cuts every string of a JSON value to `maxChars` UTF-16 units, ids and cursors excepted, saying how much is missing. */
export function truncateStrings(value: unknown, maxChars: number): unknown {
  if (typeof value === 'string') return truncate(value, maxChars);
  if (Array.isArray(value)) return value.map((item) => truncateStrings(item, maxChars));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, isHandle(key, item) ? item : truncateStrings(item, maxChars)]),
    );
  }
  return value;
}

function isHandle(key: string, item: unknown): boolean {
  if (!HANDLE.test(key)) return false;
  const texts: unknown[] = Array.isArray(item) ? item : [item];
  return texts.every((text) => typeof text === 'string' && text.length <= MAX_HANDLE_CHARS);
}

/** Cuts a text to `maxChars` UTF-16 units plus a note; never between the two halves of a surrogate pair. */
export function truncate(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const end = isHighSurrogate(text.charCodeAt(maxChars - 1)) ? maxChars - 1 : maxChars;
  return `${text.slice(0, end)}…[truncated ${text.length - end} chars]`;
}

/** Cuts the middle out of a text, so that its end can be seen as well. */
export function truncateMiddle(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const tailChars = Math.floor(maxChars / 3);
  const split = isLowSurrogate(text.charCodeAt(text.length - tailChars)) ? tailChars - 1 : tailChars;
  return `${truncate(text.slice(0, -split), maxChars - tailChars)}${text.slice(-split)}`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** Longest string of a result, in characters; smaller limits are tried while the whole is too large. */
const STRING_LIMITS = [6000, 2000, 600, 200, 80, 30] as const;

/** A value whose JSON has at most `maxChars` characters, its long strings cut as little as needed; or undefined. */
export function fitToSize(value: unknown, maxChars: number): { value: unknown; json: string } | undefined {
  const whole = JSON.stringify(value);
  // No string of a small result can exceed the first limit, so most results are not copied.
  if (whole.length <= Math.min(maxChars, STRING_LIMITS[0])) return { value, json: whole };
  for (const limit of STRING_LIMITS) {
    const cut = truncateStrings(value, limit);
    const json = JSON.stringify(cut);
    if (json.length <= maxChars) return { value: cut, json };
  }
  return undefined;
}
