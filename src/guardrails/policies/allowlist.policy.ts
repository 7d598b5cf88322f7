import { type CatalogKind, idsNamed } from '../../mcp/resource-arguments.js';
import { type Policy, type PolicyRequest, type Refusal, type RuleName } from '../policy.js';
import { type SessionFacts } from '../sessions/session-facts.js';
import { type SessionRule } from '../sessions/session-rule.js';

export interface Allowlist {
  readonly kind: CatalogKind;
  readonly rule: RuleName;
  readonly active: boolean;
  readonly ids: readonly string[];
  /** What a caller is told who names a thing that is not on the list. */
  readonly message: string;
}

/**
 * Things of one kind that may be used. It holds for every call that names one, and for every session that was put
 * together from one, whoever started it. A session is made of all its vaults and memory stores: one that is not on the
 * list is enough.
 */
export abstract class AllowlistPolicy implements Policy, SessionRule {
  readonly kind: Allowlist['kind'];
  readonly rule: RuleName;
  private readonly allowed: ReadonlySet<string>;

  protected constructor(private readonly list: Allowlist) {
    this.kind = list.kind;
    this.rule = list.rule;
    this.allowed = new Set(list.ids);
  }

  allows(id: string): boolean {
    return !this.list.active || this.allowed.has(id);
  }

  concerns(): boolean {
    return this.list.active;
  }

  admits(facts: SessionFacts): boolean {
    return facts[this.kind].every((id) => this.allows(id));
  }

  refusal({ arguments: args }: PolicyRequest): Refusal | undefined {
    if (!this.list.active) return undefined;
    const isOffList = idsNamed(this.kind, args).some((id) => !this.allowed.has(id));
    return isOffList ? { rule: this.rule, message: this.list.message } : undefined;
  }
}
