import { type GuardrailsSettings } from '../../config/guardrails.settings.js';
import { type CatalogKind, idsNamed } from '../../mcp/resource-arguments.js';
import { type RuleName } from '../../mcp/errors/tool-error.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';
import { type SessionFacts, type SessionRule } from '../sessions/session-rules.js';

/** One allowlist, as data. */
interface Allowlist {
  /** The kind of resource it lists. */
  readonly kind: CatalogKind;
  /** Name of the rule in audit records and metrics. */
  readonly rule: RuleName;
  readonly settings: (settings: GuardrailsSettings) => { readonly active: boolean; readonly ids: readonly string[] };
  /** The refusal of a call that names a resource which is not listed. */
  readonly message: string;
}

/** An empty list allows everything, except for agents: their list is switched on by a setting of its own. */
const ALLOWLISTS: readonly Allowlist[] = [
  {
    kind: 'agent',
    rule: 'agent_allowlist',
    settings: ({ agentAllowlistActive, allowedAgentIds }) => ({ active: agentAllowlistActive, ids: allowedAgentIds }),
    message:
      'This agent is not allowed here: MCP_ALLOWLIST_AGENTS_ACTIVE=true and it is not in MCP_ALLOWED_AGENT_IDS. Nothing was done. Use an agent from agent_list, or ask the operator to add this one.',
  },
  {
    kind: 'environment',
    rule: 'environment_allowlist',
    settings: ({ allowedEnvironmentIds }) => unlessEmpty(allowedEnvironmentIds),
    message:
      'This environment is not allowed here: it is not in MCP_ALLOWED_ENVIRONMENT_IDS. Nothing was done. Use an environment from environment_list, or ask the operator to add this one.',
  },
  {
    kind: 'vault',
    rule: 'vault_allowlist',
    settings: ({ allowedVaultIds }) => unlessEmpty(allowedVaultIds),
    message:
      'This vault is not allowed here: it is not in MCP_ALLOWED_VAULT_IDS. Nothing was done. Use vaults from vault_list, or ask the operator to add this one.',
  },
  {
    kind: 'memory_store',
    rule: 'memory_store_allowlist',
    settings: ({ allowedMemoryStoreIds }) => unlessEmpty(allowedMemoryStoreIds),
    message:
      'This memory store is not allowed here: it is not in MCP_ALLOWED_MEMORY_STORE_IDS. Nothing was done. Use memory stores from memory_store_list, or ask the operator to add this one.',
  },
];

function unlessEmpty(ids: readonly string[]) {
  return { active: ids.length > 0, ids };
}

/**
 * The resources of one kind that may be used. The list applies to every call that names one, and to every session that
 * uses one, regardless of who started it. A session with several vaults or memory stores is reachable only if all are listed.
 */
export class AllowlistPolicy implements Policy, SessionRule {
  readonly kind: CatalogKind;
  readonly rule: RuleName;
  private readonly active: boolean;
  private readonly ids: ReadonlySet<string>;
  private readonly message: string;
  private readonly checksRosters: boolean;

  constructor({ kind, rule, settings, message }: Allowlist, values: GuardrailsSettings) {
    const { active, ids } = settings(values);
    this.kind = kind;
    this.rule = rule;
    this.active = active;
    this.ids = new Set(ids);
    this.message = message;
    this.checksRosters = values.checksRosters;
  }

  /** The policies of all allowlists, in the order in which they are asked. */
  static all(settings: GuardrailsSettings): AllowlistPolicy[] {
    return ALLOWLISTS.map((list) => new AllowlistPolicy(list, settings));
  }

  allowsId(id: string): boolean {
    return !this.active || this.ids.has(id);
  }

  appliesTo(): boolean {
    return this.active;
  }

  allows(facts: SessionFacts): boolean {
    const members = this.kind === 'agent' && this.checksRosters ? facts.roster : [];
    return [...facts[this.kind], ...members].every((id) => this.allowsId(id));
  }

  refusal({ arguments: args }: PolicyRequest): Refusal | undefined {
    if (!this.active || idsNamed(this.kind, args).every((id) => this.ids.has(id))) return undefined;
    return { rule: this.rule, message: this.message };
  }
}
