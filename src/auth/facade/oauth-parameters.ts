import { OAuthError } from './oauth.error.js';

/** Longest value, in characters; refresh tokens of some providers have almost half of it. */
const MAX_VALUE = 16_384;
const MAX_PARAMETERS = 50;
/** The only parameter that may be repeated (RFC 8707 §2). */
const REPEATABLE = 'resource';
/** Names that some server could read as another one (`redirect_uri[]`, `redirect_uri\0`) are not passed on. */
const NAME = /^[a-z][\w.-]{0,63}$/i;
/** Parameters that decide who gets which token where (RFC 6749, 7521, 7523, 7636, 8628, 8693, 8707, 9101, 9126, 9396). */
const KNOWN = [
  ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type', 'redirect_uri', 'response_type'],
  ...['response_mode', 'grant_type', 'code', 'code_challenge', 'code_challenge_method', 'code_verifier', 'state'],
  ...['scope', 'nonce', 'refresh_token', 'username', 'password', 'assertion', 'request', 'request_uri', 'resource'],
  ...['audience', 'subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type'],
  ...['requested_token_use', 'device_code', 'authorization_details', 'prompt', 'registration', 'id_token_hint'],
];

/**
 * The parameters of an OAuth request, each of which may be sent once (RFC 6749 §3.1). Repeated names are refused: this
 * server could check one value and the provider could use the other. For the same reason one spelling of a name is kept,
 * because some servers ignore case and signs: the spelling of the standards, otherwise the first.
 */
export class OAuthParameters {
  private constructor(private readonly entries: ReadonlyMap<string, readonly string[]>) {}

  /** From a parsed query or form. */
  static parse(input: unknown): OAuthParameters {
    if (typeof input !== 'object' || input === null) throw invalid('send the parameters as a form');
    const entries = Object.entries(input).map(([name, value]): [string, string[]] => [name, valuesOf(name, value)]);
    if (entries.length > MAX_PARAMETERS) throw invalid(`send at most ${MAX_PARAMETERS} parameters`);
    return new OAuthParameters(inOneSpelling(entries));
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

function inOneSpelling(entries: readonly [string, string[]][]): Map<string, string[]> {
  const spellings = new Map(KNOWN.map((name) => [lettersOf(name), name]));
  const kept = entries.filter(([name]) => {
    if (!NAME.test(name)) return false;
    const letters = lettersOf(name);
    if (!spellings.has(letters)) spellings.set(letters, name);
    return spellings.get(letters) === name;
  });
  return new Map(kept);
}

/** What is left of a name for a reader that ignores case and signs. */
function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, '');
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
