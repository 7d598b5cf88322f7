import { type Problem, type Section } from './read-settings.js';
import { parseRoleBindings, ROLE_BINDINGS_FORMAT, type RoleBinding } from './role-bindings.js';
import { Setting } from './setting.decorator.js';

/** What callers may do with the operator's key. Everything is open by default. */
export class GuardrailsSettings implements Section {
  static readonly title = 'Guardrails';

  @Setting({
    env: 'MCP_ALLOW_DESTRUCTIVE',
    kind: { type: 'boolean' },
    default: true,
    summary: 'When false, `session_archive` and `session_delete` are hidden and refused.',
  })
  readonly allowDestructive!: boolean;

  @Setting({
    env: 'MCP_READ_ONLY',
    kind: { type: 'boolean' },
    default: false,
    summary: 'When true, only the tools that discover and observe are left.',
  })
  readonly readOnly!: boolean;

  @Setting({
    env: 'MCP_ALLOWLIST_AGENTS_ACTIVE',
    kind: { type: 'boolean' },
    default: false,
    summary: 'When true, sessions start only with the agents of `MCP_ALLOWED_AGENT_IDS`.',
  })
  readonly agentAllowlistActive!: boolean;

  @Setting({
    env: 'MCP_ALLOWED_AGENT_IDS',
    kind: { type: 'list' },
    default: [],
    example: 'agent_01...,agent_02...',
    summary: 'Agents that may be started while the agent allowlist is active; empty then means none.',
  })
  readonly allowedAgentIds!: readonly string[];

  @Setting({
    env: 'MCP_ALLOWED_ENVIRONMENT_IDS',
    kind: { type: 'list' },
    default: [],
    example: 'env_01...',
    summary: 'Environments sessions may use; empty means any.',
  })
  readonly allowedEnvironmentIds!: readonly string[];

  @Setting({
    env: 'MCP_ROLE_BINDINGS',
    kind: { type: 'text', expected: ROLE_BINDINGS_FORMAT },
    example: 'admin=group:platform; operator=group:developers; approver=scope:sessions.approve; viewer=*',
    summary:
      'Who has which role: `viewer` reads, `operator` also starts and talks to sessions, `approver` reads and answers tool calls, `admin` does everything. Once set, a caller without a role sees and calls nothing. Unset, everyone may do everything. See docs/guardrails.md.',
  })
  readonly roleBindingsText?: string;

  get roleBindings(): readonly RoleBinding[] {
    return parseRoleBindings(this.roleBindingsText ?? '').bindings;
  }

  check(): Problem[] {
    if (this.roleBindingsText === undefined) return [];
    const { bindings, problems } = parseRoleBindings(this.roleBindingsText);
    const empty = bindings.length + problems.length === 0 ? [`must be ${ROLE_BINDINGS_FORMAT}`] : [];
    return [...problems, ...empty].map((message) => ({ env: 'MCP_ROLE_BINDINGS', message }));
  }
}
