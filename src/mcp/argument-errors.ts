import { type z } from 'zod';

/** The message of an argument that is missing. */
export const REQUIRED = 'is required';

type Issue = z.core.$ZodRawIssue;
type Sized = z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall> | z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>;

/** The types of JSON, and those that zod distinguishes within them. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const FORMATS: Readonly<Record<string, string>> = {
  email: 'an email address',
  url: 'a URL',
  uuid: 'a UUID',
  datetime: 'an RFC 3339 time such as 2026-11-22T08:00:00Z',
  date: 'a date such as 2026-11-22',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  json_string: 'JSON',
};

/** What is counted in a value, where a limit is not about the value itself. */
const UNITS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
  set: ['item', 'items'],
  map: ['entry', 'entries'],
  object: ['entry', 'entries'],
};

/**
 * What is wrong with an argument and what is allowed, in words for a model: "must not be empty". It follows the kind of the
 * issue, and never repeats the value. A message that a schema states itself, such as that of a pattern, comes before it.
 */
export function plainMessage(issue: Issue): string {
  const isMissing = issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
  return isMissing ? REQUIRED : messageOf(issue);
}

function messageOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? `of type ${issue.expected}`}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values)}`;
    case 'too_small':
      return limitMessage(issue, issue.minimum, ['at least', 'greater than']);
    case 'too_big':
      return limitMessage(issue, issue.maximum, ['at most', 'less than']);
    case 'invalid_format':
      return formatMessage(issue);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_key':
      return `its name ${firstOf(issue.issues)}`;
    case 'invalid_element':
      return `contains an entry that ${firstOf(issue.issues)}`;
    case 'invalid_union':
      return unionMessage(issue);
    case 'unrecognized_keys':
      return 'has unknown keys';
    case 'custom':
      return 'is not valid';
  }
}

function limitMessage(issue: Sized, limit: number | bigint, [inclusive, exclusive]: [string, string]): string {
  const unit = UNITS[issue.origin];
  const bound = issue.exact ? 'exactly' : issue.inclusive === false ? exclusive : inclusive;
  if (!unit) return issue.exact ? `must be ${limit}` : `must be ${bound} ${limit}`;
  if (issue.code === 'too_small' && Number(limit) === 1 && !issue.exact) return 'must not be empty';
  return `must have ${bound} ${limit} ${unit[Number(limit) === 1 ? 0 : 1]}`;
}

function formatMessage(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidStringFormat>): string {
  const { format, prefix, suffix, includes } = issue as Readonly<Record<string, unknown>>;
  if (typeof prefix === 'string') return `must start with ${JSON.stringify(prefix)}`;
  if (typeof suffix === 'string') return `must end with ${JSON.stringify(suffix)}`;
  if (typeof includes === 'string') return `must contain ${JSON.stringify(includes)}`;
  const name = FORMATS[String(format)];
  return name === undefined ? 'does not have the right format' : `must be ${name}`;
}

function unionMessage(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const {
    options,
    errors = [],
    inclusive,
  } = issue as {
    options?: readonly unknown[];
    errors?: readonly z.core.$ZodIssue[][];
    inclusive?: boolean;
  };
  if (options && options.length > 0) return `must be ${oneOf(options)}`;
  if (inclusive === false) return 'fits several of the allowed forms and must fit exactly one';
  const messages = [...new Set(errors.map(firstOf))];
  return messages.length > 0 ? messages.join(', or ') : 'is not valid';
}

/** Issues within an issue have their messages already. */
function firstOf([issue]: readonly z.core.$ZodIssue[]): string {
  return issue?.message ?? 'is not valid';
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)));
  return texts.length > 1 ? `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}` : texts.join();
}

/** How alike two names must be for one to be suggested, from 0 to 1. */
const SUGGESTED_FROM = 0.3;

/** The names that a tool does not know, each with the known name that was probably meant. */
export function unknownNames(names: readonly string[], known: readonly string[], maxChars: number): string {
  const described = names.map((name) => {
    const shown = name.slice(0, maxChars);
    const [nearest] = known
      .map((candidate) => ({ candidate, likeness: likeness(shown, candidate) }))
      .filter(({ likeness }) => likeness >= SUGGESTED_FROM)
      .sort((one, other) => other.likeness - one.likeness);
    return JSON.stringify(shown) + (nearest ? ` (did you mean ${JSON.stringify(nearest.candidate)}?)` : '');
  });
  return described.join(', ');
}

/** The share of letter pairs that two names have in common (the coefficient of Dice), whatever their case and separators. */
function likeness(one: string, other: string): number {
  const [left, right] = [letterPairs(one), letterPairs(other)];
  const common = [...left].filter((pair) => right.has(pair)).length;
  return (2 * common) / (left.size + right.size || 1);
}

function letterPairs(name: string): Set<string> {
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) => letters.slice(at, at + 2)));
}
