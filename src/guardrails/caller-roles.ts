import { Injectable } from '@nestjs/common';
import { AuthSettings } from '../config/auth.settings.js';
import { GuardrailsSettings } from '../config/guardrails.settings.js';
import { holdsFor, parseCallerName } from '../config/issuers.js';
import { type BindingKind, type Role, type RoleBinding, ROLES } from '../config/role-bindings.js';
import { READING_TIERS, type Tier, TIERS } from '../config/tiers.js';
import { type Principal } from '../context/principal.js';

/** The tiers of each role. A tier that no other role has is for admins only. */
const TIERS_OF: Readonly<Record<Role, readonly Tier[]>> = {
  viewer: READING_TIERS,
  operator: [...READING_TIERS, 'start', 'interact'],
  approver: [...READING_TIERS, 'approve'],
  admin: TIERS,
};

/** Which roles a caller has, by `MCP_ROLE_BINDINGS`. */
@Injectable()
export class CallerRoles {
  /** Whether roles are in use. Without bindings every caller may do everything, and no caller is an admin. */
  readonly active: boolean;
  private readonly bindings: readonly RoleBinding[];
  private readonly known = new WeakMap<Principal, ReadonlySet<Role>>();

  constructor(
    settings: GuardrailsSettings,
    private readonly auth: AuthSettings,
  ) {
    this.bindings = settings.roleBindings;
    this.active = this.bindings.length > 0;
  }

  of(principal: Principal): ReadonlySet<Role> {
    let roles = this.known.get(principal);
    if (!roles) {
      roles = new Set(this.bindings.filter(({ to }) => this.isBound(to, principal)).map(({ role }) => role));
      this.known.set(principal, roles);
    }
    return roles;
  }

  mayCall(tier: Tier, principal: Principal): boolean {
    return !this.active || [...this.of(principal)].some((role) => TIERS_OF[role].includes(tier));
  }

  isAdmin(principal: Principal): boolean {
    return this.of(principal).has('admin');
  }

  private isBound(to: RoleBinding['to'], principal: Principal): boolean {
    if (to === '*') return true;
    if (to.kind !== 'subject') return namesOf(to.kind, principal).includes(to.value);
    // The issuer is compared by itself: a subject that spells the issuer of somebody else is another subject.
    const name = parseCallerName(to.value);
    return name.name === principal.subject && holdsFor(name, principal.issuer, this.auth.oidcIssuers);
  }

  /** The roles that may call tools of this tier. */
  static thatMayCall(tier: Tier): Role[] {
    return ROLES.filter((role) => TIERS_OF[role].includes(tier));
  }
}

/** Names are compared exactly. */
function namesOf(
  kind: Exclude<BindingKind, 'subject'>,
  { issuer, subject, roles, groups, scopes }: Principal,
): readonly string[] {
  switch (kind) {
    case 'role':
      return roles;
    case 'group':
      return groups;
    case 'scope':
      return scopes;
    case 'token':
      return issuer === 'bearer' ? [subject] : [];
  }
}
