import { OAuthError } from './oauth.error.js';

/** Longest value, in characters; refresh tokens of some providers have almost half of it. */
const MAX_VALUE = 16_384;
const MAX_PARAMETERS = 50;
/** The only parameter that may be repeated (RFC 8707 §2). */
const REPEATABLE = 'resource';

/**
 * The parameters of an OAuth request, each of which may be sent once (RFC 6749 §3.1). Repeated names are refused: this
 * server could check one value and the provider could use the other.
 */
export class OAuthParameters {
  private constructor(private readonly entries: ReadonlyMap<string, readonly string[]>) {}

  /** From a parsed query or form. */
  static parse(input: unknown): OAuthParameters {
    if (typeof input !== 'object' || input === null) throw invalid('send the parameters as a form');
    const entries = Object.entries(input).map(([name, value]): [string, string[]] => [name, valuesOf(name, value)]);
    if (entries.length > MAX_PARAMETERS) throw invalid(`send at most ${MAX_PARAMETERS} parameters`);
    return new OAuthParameters(new Map(entries));
  }

  get(name: string): string | undefined {
    return this.entries.get(name)?.[0];
  }

  /** A copy without the named parameters. */
  without(...names: string[]): OAuthParameters {
    return new OAuthParameters(new Map([...this.entries].filter(([name]) => !names.includes(name))));
  }

  with(name: string, value: string): OAuthParameters {
    return new OAuthParameters(new Map([...this.entries, [name, [value]]]));
  }

  /** Encoded again rather than copied, so that the provider reads exactly what was checked. */
  encoded(): string {
    const pairs = [...this.entries].flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));
    return new URLSearchParams(pairs).toString();
  }
}

function valuesOf(name: string, value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (values.length > 1 && name !== REPEATABLE) throw invalid('send each parameter once');
  return values.map((entry) => {
    if (typeof entry !== 'string' || entry.length > MAX_VALUE) {
      throw invalid(`each parameter must be a text of at most ${MAX_VALUE} characters`);
    }
    return entry;
  });
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_request', description);
}
