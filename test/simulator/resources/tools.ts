import type { AgentCreateParams, BetaManagedAgentsAgent } from '@anthropic-ai/sdk/resources/beta/agents';
import { array, choice, type Json, object, string } from '../http/body.js';
import { invalid } from '../http/errors.js';

type Tool = BetaManagedAgentsAgent['tools'][number];
type ToolParams = NonNullable<AgentCreateParams['tools']>[number];
type McpServers = BetaManagedAgentsAgent['mcp_servers'];

const BUILTIN = ['bash', 'edit', 'glob', 'grep', 'read', 'web_fetch', 'web_search', 'write'];
const POLICIES = ['always_allow', 'always_ask', 'auto'];

/** Checks tools and servers together and writes the left-out defaults into them, as the API's answers do. */
export function normalizeTools(tools: unknown, servers: unknown): { tools: Tool[]; mcp_servers: McpServers } {
  const mcp_servers = normalizeServers(servers);
  const normalized = array(tools ?? [], 'tools').map((tool, index) =>
    normalizeTool(object(tool, `tools[${index}]`), index),
  );
  const toolsets = normalized.filter((tool) => tool.type === 'mcp_toolset');
  refuseDuplicates(
    toolsets.map(({ mcp_server_name }) => mcp_server_name),
    'mcp_toolset for MCP server',
  );
  if (normalized.filter(({ type }) => type === 'agent_toolset_20260401').length > 1) {
    throw invalid('tools: only one agent_toolset_20260401 is allowed');
  }
  for (const { mcp_server_name: name } of toolsets) {
    if (!mcp_servers.some((server) => server.name === name)) {
      throw invalid(`mcp_toolset references MCP server "${name}" which is not defined in mcp_servers`);
    }
  }
  const unused = mcp_servers.filter(({ name }) => !toolsets.some(({ mcp_server_name }) => mcp_server_name === name));
  if (unused.length > 0) {
    const names = unused.map(({ name }) => name).join(', ');
    throw invalid(`mcp_servers [${names}] declared but no mcp_toolset in tools references them`);
  }
  return { tools: normalized, mcp_servers };
}

function normalizeServers(servers: unknown): McpServers {
  const normalized = array(servers ?? [], 'mcp_servers', { max: 20 }).map((value, index) => {
    const { name, url } = object(value, `mcp_servers[${index}]`);
    return {
      type: 'url' as const,
      name: string(name, `mcp_servers[${index}].name`, { min: 1, max: 255 }),
      url: string(url, `mcp_servers[${index}].url`, { min: 1, max: 2048 }),
    };
  });
  refuseDuplicates(
    normalized.map(({ name }) => name),
    'MCP server',
  );
  return normalized;
}

function normalizeTool(tool: Json, index: number): Tool {
  const path = `tools[${index}]`;
  const type = choice<ToolParams['type']>(tool.type, `${path}.type`, [
    'agent_toolset_20260401',
    'mcp_toolset',
    'custom',
  ]);
  if (type === 'custom') {
    return {
      type,
      name: string(tool.name, `${path}.name`, { min: 1, max: 128 }),
      description: string(tool.description, `${path}.description`, { min: 1, max: 1024 }),
      input_schema: object(tool.input_schema, `${path}.input_schema`) as { type: 'object' },
    };
  }
  const fallback = type === 'mcp_toolset' ? 'always_ask' : 'always_allow';
  const default_config = normalizeConfig(object(tool.default_config ?? {}, `${path}.default_config`), {
    enabled: true,
    permission_policy: { type: fallback },
  });
  const configs = array(tool.configs ?? [], `${path}.configs`).map((value, position) => {
    const config = object(value, `${path}.configs[${position}]`);
    const name = string(config.name, `${path}.configs[${position}].name`, { min: 1 });
    if (type !== 'mcp_toolset') choice(name, `${path}.configs[${position}].name`, BUILTIN);
    return {
      ...(type === 'mcp_toolset' ? {} : { type: name }),
      ...config,
      name,
      ...normalizeConfig(config, default_config),
    };
  });
  refuseDuplicates(
    configs.map(({ name }) => name),
    'config for tool',
  );
  const toolset = { type, default_config, configs };
  if (type === 'agent_toolset_20260401') return toolset as Tool;
  return { ...toolset, mcp_server_name: string(tool.mcp_server_name, `${path}.mcp_server_name`) } as Tool;
}

interface ToolConfig {
  enabled: boolean;
  permission_policy: { type: string };
}

function normalizeConfig({ enabled, permission_policy }: Json, defaults: ToolConfig): ToolConfig {
  if (permission_policy)
    choice(object(permission_policy, 'permission_policy').type, 'permission_policy.type', POLICIES);
  return {
    enabled: (enabled as boolean | null) ?? defaults.enabled,
    permission_policy: (permission_policy as { type: string } | null) ?? defaults.permission_policy,
  };
}

function refuseDuplicates(names: readonly string[], what: string): void {
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate !== undefined) throw invalid(`duplicate ${what} "${duplicate}"`);
}
