import { AuthSettings } from './auth.settings.js';
import { type Environment } from './read-settings.js';
import { redactor, secretRedactor } from './redaction.js';
import { settingsOf } from './setting.decorator.js';

/** Variables with secrets that are read by the SDK's credential chain or by the proxy support, not as settings. */
const OTHER_VARIABLES = [
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_IDENTITY_TOKEN',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
];

/** The values of all secret settings, and how they are kept out of logs and of what callers receive. */
export class Secrets {
  /** For log lines: also removes what only has the form of a credential. */
  readonly redactLine: (line: string) => string;
  /** For what callers receive. */
  readonly redact: (text: string) => string;

  constructor(sections: ReadonlyMap<object, object>, env: Environment = process.env) {
    const values = [
      ...[...sections].flatMap(([type, section]) => [
        ...settingsOf(type)
          .filter(({ secret }) => secret)
          .map(({ property }) => (section as Record<string, unknown>)[property])
          .filter((value) => typeof value === 'string'),
        ...(section instanceof AuthSettings ? section.namedTokens.map(({ token }) => token) : []),
      ]),
      ...OTHER_VARIABLES.map((name) => env[name]).filter((value) => value !== undefined && hasSecret(value)),
    ] as string[];
    this.redactLine = redactor(values);
    this.redact = secretRedactor(values);
  }
}

/** The address of a proxy is a secret only with a password in it. */
function hasSecret(value: string): boolean {
  return !URL.canParse(value) || new URL(value).password !== '';
}
