import type { Permission, ToolStep } from '../scenario.js';
import type { SessionAgent } from '../wire.js';

type Evaluation =
  | { type: 'always_allow' }
  | { type: 'always_ask' }
  | { type: 'auto'; evaluated_permission: { type: 'allow' } | { type: 'ask' | 'deny'; reason_code: string } };

export interface EvaluatedPermission {
  evaluated_permission: Permission;
  evaluation: Evaluation;
}

/** What the agent's policy says to a call, unless the scenario says it first. */
export function evaluate(agent: SessionAgent, call: ToolStep): EvaluatedPermission {
  const permission = call.permission ?? PERMISSIONS[policyFor(agent, call)];
  if (permission === 'allow') return { evaluated_permission: permission, evaluation: { type: 'always_allow' } };
  if (permission === 'ask') return { evaluated_permission: permission, evaluation: { type: 'always_ask' } };
  const judgement = { type: permission, reason_code: 'high_risk' };
  return { evaluated_permission: permission, evaluation: { type: 'auto', evaluated_permission: judgement } };
}

const PERMISSIONS = { always_allow: 'allow', always_ask: 'ask', auto: 'allow' } as const;

function policyFor(agent: SessionAgent, call: ToolStep): keyof typeof PERMISSIONS {
  const toolset = agent.tools.find((candidate) =>
    call.mcpServer === undefined
      ? candidate.type === 'agent_toolset_20260401'
      : candidate.type === 'mcp_toolset' && candidate.mcp_server_name === call.mcpServer,
  );
  // An MCP server's tools ask unless told otherwise; the built-in ones do not.
  if (!toolset || toolset.type === 'custom') return call.mcpServer === undefined ? 'always_allow' : 'always_ask';
  const configs: { name: string; permission_policy: { type: keyof typeof PERMISSIONS } }[] = toolset.configs;
  const config = configs.find(({ name }) => name === call.name) ?? toolset.default_config;
  return config.permission_policy.type;
}
