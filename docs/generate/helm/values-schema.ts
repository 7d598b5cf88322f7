import { parse } from 'yaml';
import { SECTIONS } from '../../../src/config/config.module.js';
import {
  type DeclaredSetting,
  expectedValues,
  type SettingKind,
  settingsOf,
} from '../../../src/config/setting.decorator.js';

type JsonSchema = Readonly<Record<string, unknown>>;

/** Settings that name a file with secrets, by the name under which the chart takes the content of the file. */
export const SECRET_FILES: Readonly<Record<string, string>> = { MCP_BEARER_TOKENS: 'MCP_BEARER_TOKENS_FILE' };

/** Texts that are numbers, which nobody puts in quotes in a values file. */
const NUMBERS: Readonly<Record<string, JsonSchema>> = {
  OTEL_TRACES_SAMPLER_ARG: { type: ['string', 'number', 'null'], minimum: 0, maximum: 1 },
};

/** Every setting that goes under `settings` of the chart. */
export function plainSettings(): DeclaredSetting[] {
  return SECTIONS.flatMap((section) => settingsOf(section)).filter(({ secret }) => !secret);
}

/** What goes under `secrets` of the chart, by name, with what it is. */
export function secretSettings(): { name: string; summary: string }[] {
  const declared = SECTIONS.flatMap((section) => settingsOf(section));
  const files = Object.entries(SECRET_FILES).map(([name, env]) => {
    const setting = declared.find((one) => one.env === env);
    if (!setting) throw new Error(`${env} of SECRET_FILES is not a declared setting; correct docs/generate/helm.`);
    return { name, summary: `The content of \`${env}\`. ${setting.summary}` };
  });
  return [...declared.filter(({ secret }) => secret).map(({ env, summary }) => ({ name: env, summary })), ...files];
}

interface ValuesSchema {
  readonly properties: Record<string, unknown> & {
    metrics: { properties: { prometheusRule: { properties: { alerts: JsonSchema } } } };
  };
}

/**
 * `values.schema.json` with `settings` and `secrets` as they are declared, and the names of the alerts; everything else in it
 * is written by hand.
 */
export function valuesSchema(current: string, alerts: string): string {
  const schema = JSON.parse(current) as ValuesSchema;
  schema.properties.metrics.properties.prometheusRule.properties.alerts = objectOf(
    alertNames(alerts).map((name) => [name, ALERT]),
  );
  const properties = {
    ...schema.properties,
    settings: objectOf(plainSettings().map((setting) => [setting.env, schemaOf(setting)])),
    secrets: objectOf(secretSettings().map(({ name, summary }) => [name, secretSchema(summary)])),
  };
  return JSON.stringify({ ...schema, properties });
}

const TEXTS: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };

/** What may be changed of one alert. */
const ALERT: JsonSchema = objectOf([
  ['enabled', { type: 'boolean' }],
  ['threshold', { type: 'number', minimum: 0 }],
  ['for', { type: 'string', pattern: '^([0-9]+(ms|s|m|h|d))+$' }],
  ['labels', TEXTS],
  ['annotations', TEXTS],
]);

function alertNames(alerts: string): string[] {
  const { groups } = parse(alerts) as { groups: { rules: { alert: string }[] }[] };
  return groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
}

/** The names of all settings, one a line: templates cannot read the schema. */
export function settingNames(): string {
  const names = [...plainSettings().map(({ env }) => env), ...secretSettings().map(({ name }) => name)];
  return `${names.join('\n')}\n`;
}

function objectOf(properties: [string, JsonSchema][]): JsonSchema {
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties) };
}

/** No rules for the value: what breaks a rule is printed. */
function secretSchema(description: string): JsonSchema {
  const text = { type: ['string', 'null'] };
  const properties = objectOf(['value', 'existingSecret', 'key'].map((name) => [name, text]));
  return { description, ...properties, type: ['object', 'null'] };
}

function schemaOf({ env, kind, summary }: DeclaredSetting): JsonSchema {
  return { description: `${summary} Values: ${expectedValues(kind)}.`, ...typeOf(kind), ...NUMBERS[env] };
}

/** `null` takes a value back that another values file gave. */
function typeOf(kind: SettingKind): JsonSchema {
  switch (kind.type) {
    case 'boolean':
      return { type: ['boolean', 'null'] };
    case 'integer':
      return { type: ['integer', 'null'], minimum: kind.min, maximum: kind.max };
    case 'usd':
      return { type: ['number', 'null'], minimum: 0.01, maximum: 1_000_000, multipleOf: 0.01 };
    case 'choice':
      return { enum: [...kind.of, null] };
    case 'url':
      return { type: ['string', 'null'], pattern: '^https?://' };
    case 'urls':
      return textOrList('^https?://[^,]+$', { pattern: '^https?://' });
    case 'list':
      return kind.of ? textOrList(`^(${kind.of.join('|')})$`, { enum: kind.of }) : textOrList();
    case 'text':
      return { type: ['string', 'null'], ...(kind.pattern && { pattern: kind.pattern.source }) };
  }
}

/** A YAML list, or the text with commas that the environment variable takes. */
function textOrList(entry?: string, items: JsonSchema = {}): JsonSchema {
  const one = entry?.slice(1, -1);
  const pattern = one && { pattern: `^${one}(, *${one})*$` };
  return { type: ['string', 'array', 'null'], ...pattern, items: { type: 'string', ...items } };
}
