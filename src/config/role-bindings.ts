/** The roles of callers, from reading to everything. Rights of several roles add up. */
export const ROLES = ['viewer', 'operator', 'approver', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The properties of a caller that a role can be bound to. `token` is the name of a bearer token. */
export const BINDING_KINDS = ['role', 'group', 'scope', 'subject', 'token'] as const;
export type BindingKind = (typeof BINDING_KINDS)[number];

/** One role and who has it: everyone, or the callers with this property. */
export interface RoleBinding {
  readonly role: Role;
  readonly to: '*' | { readonly kind: BindingKind; readonly value: string };
}

export interface RoleBindings {
  readonly bindings: readonly RoleBinding[];
  /** What is wrong, and what is allowed instead. */
  readonly problems: readonly string[];
}

/** Description of the format, for messages and the reference page. */
export const ROLE_BINDINGS_FORMAT =
  `entries of the form role=who,who separated by ";", with ${ROLES.join(', ')} as roles; who is * (everyone) or ` +
  `${BINDING_KINDS.map((kind) => `${kind}:<name>`).join(', ')}, with %2C for "," and %3B for ";" in a name`;

/**
 * Reads `admin=subject:alice,role:platform; operator=group:developers; viewer=*`. An invalid binding prevents the start:
 * ignoring it would silently remove a right, or keep one that was meant to be removed.
 */
export function parseRoleBindings(text: string): RoleBindings {
  const read = text
    .split(';')
    .filter((entry) => entry.trim() !== '')
    .map(readEntry);
  return { bindings: read.flatMap(({ bindings }) => bindings), problems: read.flatMap(({ problems }) => problems) };
}

function readEntry(entry: string): RoleBindings {
  const at = entry.indexOf('=');
  const role = ROLES.find((known) => at >= 0 && known === entry.slice(0, at).trim());
  if (!role) return problem(`"${entry.trim()}" does not begin with a role and "="`);
  const read = entry
    .slice(at + 1)
    .split(',')
    .map((who) => readWho(role, who.trim()));
  return { bindings: read.flatMap(({ bindings }) => bindings), problems: read.flatMap(({ problems }) => problems) };
}

function readWho(role: Role, who: string): RoleBindings {
  if (who === '*') return { bindings: [{ role, to: '*' }], problems: [] };
  const at = who.indexOf(':');
  const kind = BINDING_KINDS.find((known) => at >= 0 && known === who.slice(0, at).trim());
  const value = decode(who.slice(at + 1).trim());
  // A star would look like a pattern; patterns are not supported.
  if (!kind || !value || value === '*') return problem(`"${who}" of ${role} names no principal`);
  return { bindings: [{ role, to: { kind, value } }], problems: [] };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that encodes nothing: reported like every other invalid text.
    return undefined;
  }
}

function problem(what: string): RoleBindings {
  return { bindings: [], problems: [`${what}; it must be ${ROLE_BINDINGS_FORMAT}`] };
}
