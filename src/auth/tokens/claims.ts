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
 * A claim by its name, which may contain dots and colons (`https://example.com/roles`, `cognito:groups`), or by a dotted
 * path (`realm_access.roles`). Inherited properties of objects are ignored.
 */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Claims)[name];
  }
  return value;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values.filter((value) => value !== ''))];
}
