import { Payload } from '@nestjs/microservices';
import { McpController } from '@rekog/mcp-nest';
import { z } from 'zod';
import { id, pageArguments } from '../mcp/arguments.js';
import { type Input, ToolInput } from '../mcp/tool-input.js';
import { McpTool } from '../mcp/tool.decorator.js';
import { DiscoverService } from './discover.service.js';

const listInput = new ToolInput(pageArguments);
const agentGetInput = new ToolInput({
  agent_id: id('Agent to read.', 'agent_01...'),
  version: z.int().min(1).optional().describe('Read this version; default the latest.'),
});
const environmentGetInput = new ToolInput({ environment_id: id('Environment to read.', 'env_01...') });
const vaultGetInput = new ToolInput({ vault_id: id('Vault to read.', 'vlt_01...') });
const memoryStoreGetInput = new ToolInput({ memory_store_id: id('Memory store to read.', 'memstore_01...') });

type ListInput = Input<typeof listInput>;

@McpController()
export class DiscoverTools {
  constructor(private readonly discover: DiscoverService) {}

  @McpTool({
    name: 'agent_list',
    title: 'List agents',
    tier: 'discover',
    description:
      'List managed agents: id, name, model, description, metadata, version. Use it to find the agent for a job, then agent_get before starting it.',
    input: listInput,
  })
  agentList(@Payload() args: ListInput): Promise<object> {
    return this.discover.agents(args);
  }

  @McpTool({
    name: 'agent_get',
    title: 'Get agent',
    tier: 'discover',
    description:
      'Read the full configuration of one agent: system prompt, tools, MCP servers, skills, metadata. Read it before session_start: it tells which environment, vaults and memory stores the agent needs. Then match those with environment_list, vault_list and memory_store_list.',
    input: agentGetInput,
  })
  agentGet(@Payload() { agent_id, version }: Input<typeof agentGetInput>): Promise<object> {
    return this.discover.agent(agent_id, version);
  }

  @McpTool({
    name: 'environment_list',
    title: 'List environments',
    tier: 'discover',
    description:
      'List the environments (sandboxes) sessions run in. Pick the one that belongs to the agent, by name, description or metadata such as metadata.agent_name; a wrong one lacks the packages or network access the agent needs.',
    input: listInput,
  })
  environmentList(@Payload() args: ListInput): Promise<object> {
    return this.discover.environments(args);
  }

  @McpTool({
    name: 'environment_get',
    title: 'Get environment',
    tier: 'discover',
    description: 'Read one environment: packages, networking, metadata.',
    input: environmentGetInput,
  })
  environmentGet(@Payload() { environment_id }: Input<typeof environmentGetInput>): Promise<object> {
    return this.discover.environment(environment_id);
  }

  @McpTool({
    name: 'vault_list',
    title: 'List vaults',
    tier: 'discover',
    description:
      'List credential vaults. An agent whose MCP servers need sign-in must start with the vault that belongs to it; match display_name or metadata (often metadata.agent_name, or "<agent>-vault").',
    input: listInput,
  })
  vaultList(@Payload() args: ListInput): Promise<object> {
    return this.discover.vaults(args);
  }

  @McpTool({
    name: 'vault_get',
    title: 'Get vault',
    tier: 'discover',
    description:
      'Read one vault, to confirm it is the right one: name, metadata, timestamps. Secrets are never returned.',
    input: vaultGetInput,
  })
  vaultGet(@Payload() { vault_id }: Input<typeof vaultGetInput>): Promise<object> {
    return this.discover.vault(vault_id);
  }

  @McpTool({
    name: 'memory_store_list',
    title: 'List memory stores',
    tier: 'discover',
    description:
      'List memory stores, the persistent memory of agents. Attach the one that belongs to the agent; match name, description or metadata (often metadata.agent_name, or "<agent>-memory"). Without it the agent has no history.',
    input: listInput,
  })
  memoryStoreList(@Payload() args: ListInput): Promise<object> {
    return this.discover.memoryStores(args);
  }

  @McpTool({
    name: 'memory_store_get',
    title: 'Get memory store',
    tier: 'discover',
    description: 'Read one memory store: name, description, metadata, timestamps.',
    input: memoryStoreGetInput,
  })
  memoryStoreGet(@Payload() { memory_store_id }: Input<typeof memoryStoreGetInput>): Promise<object> {
    return this.discover.memoryStore(memory_store_id);
  }
}
