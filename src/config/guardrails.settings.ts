import { type Problem, type Section } from './read-settings.js';
import { parseRoleBindings, ROLE_BINDINGS_FORMAT, type RoleBinding } from './role-bindings.js';
import { Setting } from './setting.decorator.js';

/** Whether callers reach every session of the workspace or only those they started. */
const ISOLATION_MODES = ['none', 'owner'] as const;

/** Whether the agents that a listed agent may delegate to have to be listed, too. */
const ROSTER_MODES = ['trust', 'check'] as const;

/** What can be an id of the API. Names with blanks and patterns would never match. */
const ID = { pattern: /^[\w.:~-]+$/, expected: 'ids separated by commas, without blanks and without *' } as const;

/** What callers may do with the operator's key. Everything is allowed by default. */
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
    summary: 'When true, only the tools that discover and observe are available.',
  })
  readonly readOnly!: boolean;

  @Setting({
    env: 'MCP_ALLOWLIST_AGENTS_ACTIVE',
    kind: { type: 'boolean' },
    default: false,
    summary:
      'When true, only the agents of `MCP_ALLOWED_AGENT_IDS` are listed, read and started, and only their sessions can be reached.',
  })
  readonly agentAllowlistActive!: boolean;

  @Setting({
    env: 'MCP_ALLOWED_AGENT_IDS',
    kind: { type: 'list', each: ID },
    default: [],
    example: 'agent_01...,agent_02...',
    summary: 'Agents that may be used while the agent allowlist is active; empty then means none.',
  })
  readonly allowedAgentIds!: readonly string[];

  @Setting({
    env: 'MCP_ALLOWLIST_ROSTERS',
    kind: { type: 'choice', of: ROSTER_MODES },
    default: 'trust',
    summary:
      '`check`: while the agent allowlist is active, an agent whose roster names an agent that is not on the list cannot be started, and sessions of such agents cannot be reached. `trust`: a listed agent may delegate to whatever agents its roster names.',
  })
  readonly rosters!: (typeof ROSTER_MODES)[number];

  @Setting({
    env: 'MCP_ALLOWED_ENVIRONMENT_IDS',
    kind: { type: 'list', each: ID },
    default: [],
    example: 'env_01...',
    summary: 'Environments that may be used, and whose sessions can be reached; empty means any.',
  })
  readonly allowedEnvironmentIds!: readonly string[];

  @Setting({
    env: 'MCP_ALLOWED_VAULT_IDS',
    kind: { type: 'list', each: ID },
    default: [],
    example: 'vlt_01...',
    summary: 'Vaults that may be used; empty means any. A session with another vault cannot be reached.',
  })
  readonly allowedVaultIds!: readonly string[];

  @Setting({
    env: 'MCP_ALLOWED_MEMORY_STORE_IDS',
    kind: { type: 'list', each: ID },
    default: [],
    example: 'memstore_01...',
    summary: 'Memory stores that may be used; empty means any. A session with another one cannot be reached.',
  })
  readonly allowedMemoryStoreIds!: readonly string[];

  @Setting({
    env: 'MCP_ROLE_BINDINGS',
    kind: { type: 'text', expected: ROLE_BINDINGS_FORMAT },
    example: 'admin=group:platform; operator=group:developers; approver=scope:sessions.approve; viewer=*',
    summary:
      'Who has which role: `viewer` reads, `operator` also starts and talks to sessions, `approver` reads and answers tool calls, `admin` does everything. Once set, a caller without a role sees and calls nothing. Unset, everyone may do everything. See docs/guardrails.md.',
  })
  readonly roleBindingsText?: string;

  @Setting({
    env: 'MCP_SESSION_ISOLATION',
    kind: { type: 'choice', of: ISOLATION_MODES },
    default: 'none',
    summary:
      '`owner`: callers reach only the sessions they started through this server; holders of the role `admin` reach all. `none`: everyone reaches every session of the workspace.',
  })
  readonly sessionIsolation!: (typeof ISOLATION_MODES)[number];

  get checksRosters(): boolean {
    return this.agentAllowlistActive && this.rosters === 'check';
  }

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
