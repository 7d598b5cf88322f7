const MARKS = `"'\`“”‘’`;
const WHOLE = new RegExp(`^[${MARKS}].*[${MARKS}]$`, 's');
const STRAY = new RegExp(`^[${MARKS}]|[${MARKS}]$`);

/** For people: where quotation marks come from. */
export const QUOTED_ADVICE =
  'quotation marks, which count as part of the value (docker keeps those of an --env-file); write it without them';

/** Whether a value stands in quotation marks. No setting has a use for them. */
export function isQuoted(text: string): boolean {
  return text.length > 1 && WHOLE.test(text);
}

/** Whether an entry of a list begins or ends with a quotation mark: the list was quoted as a whole, or each entry. */
export function hasQuotedEntry(list: string): boolean {
  return list.split(',').some((entry) => STRAY.test(entry.trim()));
}
