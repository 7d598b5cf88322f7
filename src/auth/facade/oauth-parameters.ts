import { OAuthError } from './oauth.error.js';

/** Longest value, in characters; refresh tokens of some providers come close to half of it. */
const MAX_VALUE = 16_384;
const MAX_PARAMETERS = 50;
/** The only parameter that may come several times (RFC 8707 §2). */
const REPEATABLE = 'resource';

/**
 * The parameters of an OAuth request, each of which may come once (RFC 6749 §3.1). Two values of one name are refused:
 * we could check the one and the provider use the other.
 */
export class OAuthParameters {
  private constructor(private readonly entries: ReadonlyMap<string, readonly string[]>) {}

  /** From a parsed query or form. */
  static parse(input: unknown): OAuthParameters {
    if (typeof input !== 'object' || input === null) throw invalid('send the parameters as a form');
    const entries = Object.entries(input).map(([name, value]): [string, string[]] => [name, textsOf(name, value)]);
    if (entries.length > MAX_PARAMETERS) throw invalid('too many parameters');
    return new OAuthParameters(new Map(entries));
  }

  get(name: string): string | undefined {
    return this.entries.get(name)?.[0];
  }

  /** The same without some parameters. */
  without(...names: string[]): OAuthParameters {
    return new OAuthParameters(new Map([...this.entries].filter(([name]) => !names.includes(name))));
  }

  with(name: string, value: string): OAuthParameters {
    return new OAuthParameters(new Map([...this.entries, [name, [value]]]));
  }

  /** Written anew rather than copied, so that the provider reads exactly what was checked. */
  encoded(): string {
    const pairs = [...this.entries].flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));
    return new URLSearchParams(pairs).toString();
  }
}

function textsOf(name: string, value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (values.length > 1 && name !== REPEATABLE) throw invalid('a parameter was sent more than once');
  return values.map((entry) => {
    if (typeof entry !== 'string' || entry.length > MAX_VALUE)
      throw invalid('a parameter is not a text of usual length');
    return entry;
  });
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_request', description);
}
