/** Ids are long and alike; their first characters are enough to recognize them by. */
export function shortIds(text: string): string {
  return text.replace(/\b([a-z]+_01\w{4})\w{12,}/g, '$1…');
}

export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** Lines of at most `width` characters, broken between words. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, width));
}

function wrapLine(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    const joined = last === '' ? word : `${last} ${word}`;
    if (joined.length <= width || last === '') lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines.map((line) => line.trimEnd());
}

/** Arguments as a person would say them: `agent_01Ab…  env_01Cd…  budget_usd 2`. An id says itself what it is. */
export function describeArguments(args: Readonly<Record<string, unknown>>): string {
  return Object.entries(args)
    .map(([name, value]) => {
      if (name === 'since') return `since …${String(value).slice(-6)}`;
      return isId(value) ? describeValue(value) : `${name} ${describeValue(value)}`;
    })
    .join('  ');
}

function isId(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isId) : typeof value === 'string' && shortIds(value) !== value;
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(describeValue).join('  ');
  if (typeof value !== 'string') return JSON.stringify(value);
  if (isId(value)) return shortIds(value);
  return /^[\w-]+$/.test(value) ? value : `"${cut(value, 72)}"`;
}

export function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
