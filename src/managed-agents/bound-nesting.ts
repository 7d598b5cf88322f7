/** Deepest nesting of what the API sends. Inputs of tools have a few levels; V8 overflows its stack at some thousand. */
const MAX_NESTING = 100;
const TOO_DEEP = `[nested deeper than ${MAX_NESTING} levels; not read]`;

/**
 * Replaces what is nested deeper in a JSON value by a text that says so, in place. Whatever walks or prints the value
 * afterwards needs no limit of its own.
 */
export function boundNesting(value: unknown, levels = MAX_NESTING): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return TOO_DEEP;
  const fields = value as Record<string, unknown>;
  for (const name of Object.keys(fields)) {
    const field = fields[name];
    if (typeof field !== 'object' || field === null) continue;
    const bounded = boundNesting(field, levels - 1);
    if (bounded !== field) fields[name] = bounded;
  }
  return value;
}
