/** Cuts every string of a JSON value to `maxChars` UTF-16 units, saying how much is missing. */
export function truncateStrings(value: unknown, maxChars: number): unknown {
  if (typeof value === 'string') return truncate(value, maxChars);
  if (Array.isArray(value)) return value.map((item) => truncateStrings(item, maxChars));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, truncateStrings(item, maxChars)]));
  }
  return value;
}

/** Cuts a text to `maxChars` UTF-16 units plus a note; never between the two halves of a surrogate pair. */
export function truncate(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const end = isHighSurrogate(text.charCodeAt(maxChars - 1)) ? maxChars - 1 : maxChars;
  return `${text.slice(0, end)}…[truncated ${text.length - end} chars]`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
