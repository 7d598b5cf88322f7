import { validateSync } from 'class-validator';
import { hasQuotedEntry, isQuoted, QUOTED_ADVICE } from './quotation-marks.js';
import { type DeclaredSetting, type SettingKind, settingsOf } from './setting.decorator.js';
import { readTextFile } from './text-file.js';

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A problem with the configuration: the variable, and what to do about it. */
export interface Problem {
  readonly env: string;
  readonly message: string;
}

/** The transport that the server will use; it decides which settings are required. */
export type Entry = 'http' | 'lambda' | 'stdio';

/** A group of settings. */
export interface Section {
  /** Reports problems across several values. */
  check?(entry: Entry, env: Environment): Problem[];
  /** The problems that remain after the section has taken a safe value for what must not stop this entry. */
  tolerate?(entry: Entry, problems: readonly Problem[]): readonly Problem[];
}

/** The configuration is not valid. The message lists every problem and what to set. */
export class ConfigurationError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(
      [
        'The server did not start because its configuration is not valid:',
        ...problems.map((problem) => `  - ${problem.env}: ${problem.message}`),
        'Every setting is described in docs/configuration.md.',
      ].join('\n'),
    );
    this.name = 'ConfigurationError';
  }
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};

/** Reads one section from the environment; problems are collected rather than thrown. */
export function readSection<T extends object>(
  type: new () => T,
  env: Environment,
  entry: Entry,
): { section: T; problems: Problem[] } {
  const section = new type();
  const values = section as Record<string, unknown>;
  const problems: Problem[] = [];
  for (const setting of settingsOf(type)) {
    const { text, problem } = textOf(setting, env);
    if (problem) problems.push(problem);
    values[setting.property] = text === undefined ? valueWithoutText(setting, env) : parse(setting.kind, text);
  }
  problems.push(...invalidValues(type, section, env));
  // Checks across values assume that each single value is valid.
  if (problems.length === 0) problems.push(...((section as Section).check?.(entry, env) ?? []));
  return { section, problems: [...((section as Section).tolerate?.(entry, problems) ?? problems)] };
}

function valueWithoutText({ env: name, emptyMeansNone, default: usual }: DeclaredSetting, env: Environment): unknown {
  return emptyMeansNone && env[name] !== undefined ? [] : usual;
}

function textOf(setting: DeclaredSetting, env: Environment): { text?: string; problem?: Problem } {
  const own = nonEmpty(env[setting.env]);
  if (!setting.secret)
    return own !== undefined && inQuotes(setting, own) ? { problem: quoted(setting, own) } : { text: own };
  const fileVariable = `${setting.env}_FILE`;
  const file = nonEmpty(env[fileVariable]);
  if (file === undefined) return { text: own };
  if (own !== undefined) {
    return { problem: { env: fileVariable, message: `is set together with ${setting.env}; keep one of the two` } };
  }
  try {
    const text = nonEmpty(readTextFile(file));
    return text === undefined ? { problem: { env: fileVariable, message: `names an empty file (${file})` } } : { text };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    return { problem: { env: fileVariable, message: `names a file that cannot be read (${file}: ${code})` } };
  }
}

/** Secrets are not judged: a random one may begin and end with any character. The doctor points out those in quotes. */
function inQuotes({ kind }: DeclaredSetting, text: string): boolean {
  return kind.type === 'list' || kind.type === 'urls' ? hasQuotedEntry(text) : isQuoted(text);
}

function quoted({ env }: DeclaredSetting, text: string): Problem {
  return { env, message: `has ${QUOTED_ADVICE} (it is ${text})` };
}

function nonEmpty(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}

/** A text that does not parse is returned unchanged, so that validation reports it with the allowed values. */
function parse(kind: SettingKind, text: string): unknown {
  switch (kind.type) {
    case 'boolean':
      return BOOLEANS[text.toLowerCase()] ?? text;
    case 'integer':
      return /^-?\d+$/.test(text) ? Number(text) : text;
    case 'usd':
      return /^\d+(\.\d{1,2})?$/.test(text) ? Number(text) : text;
    case 'url':
      return text.replace(/\/+$/, '');
    case 'list':
    case 'urls':
      return text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '')
        .map((entry) => (kind.type === 'list' && kind.each?.read ? kind.each.read(entry) : entry));
    case 'choice':
      return text;
    case 'text':
      return kind.read ? kind.read(text) : text;
  }
}

function invalidValues<T extends object>(type: new () => T, section: T, env: Environment): Problem[] {
  return validateSync(section).map((error) => {
    const setting = settingsOf(type).find((declared) => declared.property === error.property);
    const name = setting?.env ?? error.property;
    const given = setting && !setting.secret ? ` (it is "${(env[name] ?? '').trim()}")` : '';
    return { env: name, message: `${Object.values(error.constraints ?? {})[0] ?? 'is not valid'}${given}` };
  });
}
