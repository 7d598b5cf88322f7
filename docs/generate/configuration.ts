import { SECTIONS } from '../../src/config/config.module.js';
import { type DeclaredSetting, expectedValues, settingsOf } from '../../src/config/setting.decorator.js';
import { firstSentence } from './sentences.js';

/** `docs/configuration.md`, from the declared settings. */
export function configurationPage(): string {
  return [
    '# Configuration',
    '',
    'Every setting is an environment variable; the HTTP server also reads a `.env` file in its working directory (stdio does not: its working directory is whatever project the client has open). An empty variable counts as unset. A value that cannot be used stops the start, with one message that lists all problems.',
    '',
    'A setting marked *secret* can also come from a file: put the path into the variable with `_FILE` appended.',
    ...SECTIONS.flatMap((section) => [
      '',
      `## ${section.title}`,
      '',
      ...settingsOf(section).flatMap((setting) => [...entry(setting), '']),
    ]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

/** `.env.example`, from the declared settings. */
export function envExample(): string {
  return [
    '# Copy to .env and fill in. Every setting is described in docs/configuration.md.',
    ...SECTIONS.flatMap((section) => [
      '',
      `# --- ${section.title} ---`,
      ...settingsOf(section).flatMap((setting) => ['', `# ${firstSentence(setting.summary)}`, exampleLine(setting)]),
    ]),
    '',
  ].join('\n');
}

function entry(setting: DeclaredSetting): string[] {
  const { env, kind, summary, secret } = setting;
  return [
    `### \`${env}\`${secret ? ' (secret)' : ''}`,
    '',
    summary,
    '',
    `- Values: ${expectedValues(kind)}`,
    `- Default: ${defaultText(setting)}`,
    ...(setting.example === undefined ? [] : [`- Example: \`${setting.example}\``]),
  ];
}

function defaultText({ default: value, defaultText: text }: DeclaredSetting): string {
  if (text !== undefined) return text;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  return `\`${String(value)}\``;
}

function exampleLine({ env, default: value, example }: DeclaredSetting): string {
  return `# ${env}=${example ?? (value === undefined || Array.isArray(value) ? '' : String(value))}`;
}
