/** The claims (or header fields) of a token, as its issuer wrote them. */
export type Claims = Readonly<Record<string, unknown>>;

/** A claim that is a non-empty text. */
export function text(claims: Claims, name: string): string | undefined {
  const value = claims[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The texts of a claim that is a text or a list; other values are dropped. */
export function texts(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((entry): entry is string => typeof entry === 'string' && entry !== '');
}

/** `scope` and `scp` are one text with spaces or a list, depending on the provider. */
export function scopesOf(claims: Claims): string[] {
  return unique([...texts(claims.scope), ...texts(claims.scp)].flatMap((entry) => entry.split(/\s+/)));
}

/** The values listed in the claims at `paths`, such as roles or groups. */
export function listedIn(claims: Claims, paths: readonly string[]): string[] {
  return unique(paths.flatMap((path) => texts(claimAt(claims, path))));
}

/**
 * A claim by its name, which may contain dots and colons (`https://example.com/roles`, `cognito:groups`), by a dotted path
 * (`realm_access.roles`), or by a JSON pointer (RFC 6901). A name within a dotted path may contain dots as well
 * (`resource_access.mcp.example.com.roles`): shorter names are tried first. Inherited properties are ignored.
 */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  if (!path.startsWith('/')) return found(claims, path.split('.'));
  const names = path.slice(1).split('/');
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~')).reduce<unknown>(memberOf, claims);
}

function found(value: unknown, names: readonly string[]): unknown {
  if (names.length === 0) return value;
  for (let length = 1; length <= names.length; length++) {
    const member = memberOf(value, names.slice(0, length).join('.'));
    const claim = member === undefined ? undefined : found(member, names.slice(length));
    if (claim !== undefined) return claim;
  }
  return undefined;
}

function memberOf(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && Object.hasOwn(value, name) ? (value as Claims)[name] : undefined;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values.filter((value) => value !== ''))];
}
