import { Setting } from './setting.decorator.js';

/** Who may answer tool calls that wait for approval. */
const APPROVAL_MODES = ['model', 'human'] as const;

const MIN_SECRET_CHARS = 32;

/** Approvals: whether a model may decide or only a person. */
export class ApprovalSettings {
  static readonly title = 'Approvals';

  @Setting({
    env: 'MCP_APPROVAL_MODE',
    kind: { type: 'choice', of: APPROVAL_MODES },
    default: 'model',
    summary:
      "`model`: decisions that a client's model passes to `session_respond` are sent. `human`: nothing is sent before a person has decided in a form that the client shows (MCP elicitation); a client that cannot show forms cannot answer.",
  })
  readonly mode!: (typeof APPROVAL_MODES)[number];

  @Setting({
    env: 'MCP_APPROVAL_PROMPT',
    kind: { type: 'boolean' },
    default: true,
    summary:
      'Whether `session_respond` has the mark by which Claude Code asks its user before each call, whatever was allowed before (`anthropic/requiresUserInteraction`). Without a terminal (`claude -p`, the Agent SDK) nobody can be asked, and Claude Code does not call a tool with this mark; set it to false for such clients.',
  })
  readonly prompt!: boolean;

  @Setting({
    env: 'MCP_APPROVAL_SECRET',
    kind: {
      type: 'text',
      pattern: new RegExp(`^.{${MIN_SECRET_CHARS},}$`),
      expected: `at least ${MIN_SECRET_CHARS} characters`,
    },
    secret: true,
    defaultText: 'derived from `ANTHROPIC_API_KEY`',
    summary:
      'Key that protects the form for a person while the client has it, in mode `human`. Set the same value on all replicas, so that any of them can receive the answer. It also protects page cursors. Without it, the key is derived from `ANTHROPIC_API_KEY`; without both it is random, and new with each start.',
  })
  readonly secret?: string;
}
