import { z } from 'zod';

/** The parts of the answers that the story relies on. */
const item = z.object({ id: z.string(), metadata: z.record(z.string(), z.string()) });
const named = item.extend({ name: z.string() });

export const agentList = z.object({ agents: z.array(named.extend({ model: z.string() })) });
export const environmentList = z.object({ environments: z.array(named) });
export const vaultList = z.object({ vaults: z.array(item.extend({ display_name: z.string() })) });
export const memoryStoreList = z.object({ memory_stores: z.array(named) });

const toolset = z.object({
  type: z.string(),
  configs: z.array(z.object({ name: z.string(), permission_policy: z.object({ type: z.string() }) })).default([]),
});
export const agent = named.extend({ system: z.string(), tools: z.array(toolset) });

export const started = z.object({
  session_id: z.string(),
  status: z.string(),
  message_sent: z.literal(true),
  next_since: z.string(),
});

export const pendingAction = z.object({
  tool_use_id: z.string(),
  kind: z.literal('tool_confirmation'),
  tool: z.string(),
  input: z.object({ command: z.string() }),
  /** Of the sub-agent that asks; absent for the agent itself. */
  session_thread_id: z.string().optional(),
});
export type PendingAction = z.output<typeof pendingAction>;

export const situation = z.object({
  id: z.string(),
  status: z.string(),
  turn: z.string(),
  failed: z.literal(false),
  pending_actions: z.array(pendingAction),
  cost_usd: z.number(),
  budget_usd: z.number().nullable(),
  next_step: z.string(),
});
export type Situation = z.output<typeof situation>;

export const event = z.object({
  type: z.string().optional(),
  text: z.string().optional(),
  tool: z.string().optional(),
  input: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
});
export type Event = z.output<typeof event>;

export const waited = z.object({
  reason: z.string(),
  failed: z.undefined().optional(),
  /** What did not work in a turn that ended well. */
  warnings: z.array(z.object({ type: z.string(), message: z.string() })).default([]),
  final_message: z.string().optional(),
  events: z.array(event),
  has_more: z.undefined().optional(),
  pending_actions: z.array(pendingAction).default([]),
  /** Told from the first time on that the API says what the session costs. */
  cost_usd: z.number().optional(),
  next_since: z.string(),
});
export type Waited = z.output<typeof waited>;

export const approvalList = z.object({
  approvals: z.array(z.object({ session_id: z.string(), title: z.string().nullable(), tool: z.string() })),
});

export const sessionList = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      status: z.string(),
      title: z.string().nullable(),
      agent: z.object({ name: z.string() }),
      cost_usd: z.number(),
    }),
  ),
});

export const done = z.object({ ok: z.literal(true), session_id: z.string(), next_since: z.string().optional() });

export const auditLine = z.object({
  audit: z.string(),
  outcome: z.string(),
  reason: z.string().optional(),
  principal: z.string(),
  issuer: z.string(),
  environment_id: z.string().optional(),
  session_id: z.string().optional(),
  result: z.string().optional(),
});
export type AuditLine = z.output<typeof auditLine>;
