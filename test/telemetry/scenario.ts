import { type Client } from '@modelcontextprotocol/client';
import { listenForManagement } from '../../src/bootstrap/management.js';
import { FIXTURES, type Simulator } from '../simulator/index.js';
import { startWaiting } from '../support/calls.js';
import { callTool } from '../support/client.js';
import { type Harness, type HarnessOptions, startHarness } from '../support/harness.js';
import { send } from '../support/rpc.js';
import { parseExposition, type Series } from './exposition.js';

/** A harness whose metrics can be read where Prometheus reads them. */
export interface Measured extends Harness {
  readonly managementUrl: string;
  scrape(): Promise<Series[]>;
  text(): Promise<string>;
}

export async function startMeasured({ env, ...options }: HarnessOptions = {}): Promise<Measured> {
  const harness = await startHarness({ env: { MCP_MANAGEMENT_PORT: '0', MCP_HOST: '127.0.0.1', ...env }, ...options });
  const management = (await listenForManagement(harness.server.app))!;
  const managementUrl = await management.getUrl();
  const text = async () => (await fetch(`${managementUrl}/metrics`)).text();
  return {
    ...harness,
    managementUrl,
    text,
    scrape: async () => parseExposition(await text()),
    close: async () => {
      await management.close();
      await harness.close();
    },
  };
}

const START = { agent_id: FIXTURES.agents.deployer, environment_id: FIXTURES.environments.locked };

/** Settings with which the scenario has something to count in every metric. */
export const SCENARIO_ENV = (auditFile: string, collector: string): Record<string, string> => ({
  ANTHROPIC_MAX_RETRIES: '1',
  MCP_ALLOW_DESTRUCTIVE: 'false',
  MCP_RATE_LIMIT_PER_MINUTE: '10000',
  MCP_MAX_STARTS_PER_HOUR: '3',
  MCP_MAX_RUNNING_SESSIONS: '100',
  MCP_AUDIT_FILE: auditFile,
  MCP_AUDIT_URL: collector,
});

/** Known calls, one of each outcome at least, and what has to do with them. Returns a session that waits for an answer. */
export async function playScenario(client: Client, simulator: Simulator, url: string): Promise<string> {
  await callTool(client, 'agent_list');
  await callTool(client, 'agent_list');
  await callTool(client, 'session_start', { ...START, budget_usd: 2.5 });
  const { session_id } = await startWaiting(client, simulator, START.agent_id);
  await callTool(client, 'session_wait', { session_id });
  await callTool(client, 'session_delete', { session_id });
  await callTool(client, 'session_get', { session_id: 'sesn_unknown' });
  await callTool(client, 'session_get', { session_id: '../etc' });
  await callTool(client, 'session_start', START);
  await callTool(client, 'session_start', START);
  await client.callTool({ name: 'no_such_tool', arguments: {} }).catch(() => undefined);
  simulator.faults.add({ path: /^\/v1\/environments/, status: 529, headers: { 'retry-after': '0' } });
  await callTool(client, 'environment_list');
  await send(url, { headers: { authorization: undefined }, body: {} });
  await send(url, { headers: { authorization: 'Bearer nobody-knows-this-token' }, body: {} });
  return session_id;
}
