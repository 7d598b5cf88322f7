import { type Client } from '@modelcontextprotocol/client';
import { FIXTURES, type Simulator } from '../simulator/index.js';
import { callTool } from './client.js';

const OWN_ENVIRONMENT: Readonly<Record<string, string>> = {
  [FIXTURES.agents.deployer]: FIXTURES.environments.locked,
};

/** A session that an agent has brought to where it waits for a client. */
export interface WaitingSession {
  readonly session_id: string;
  /** The calls it waits for, in the order it made them. */
  readonly calls: readonly string[];
}

/** Starts an agent with some work and lets it come to the point where it needs a client. */
export async function startWaiting(
  client: Client,
  simulator: Simulator,
  agent_id: string,
  environment_id = OWN_ENVIRONMENT[agent_id] ?? FIXTURES.environments.cloud,
): Promise<WaitingSession> {
  const started = await callTool(client, 'session_start', { agent_id, environment_id, message: 'Go' });
  const session_id = started.data.session_id as string;
  await simulator.settle(session_id);
  return { session_id, calls: await pendingCalls(client, session_id) };
}

export async function pendingCalls(client: Client, session_id: string): Promise<string[]> {
  const { data } = await callTool(client, 'session_get', { session_id });
  return (data.pending_actions as { tool_use_id: string }[]).map(({ tool_use_id }) => tool_use_id);
}

/** Every answer our server sent to the API for this session, accepted or not, oldest first. */
export function answersSent(simulator: Simulator, sessionId: string): Record<string, unknown>[] {
  return simulator.requests
    .filter(({ method, path, headers }) => {
      return method === 'POST' && path.includes(`${sessionId}/events`) && headers['x-api-key'] !== ANOTHER;
    })
    .flatMap(({ body }) => (body as { events: Record<string, unknown>[] }).events)
    .filter(({ type }) => /^user\.(tool_confirmation|custom_tool_result|tool_result)$/.test(type as string));
}

const ANOTHER = 'another-process';

/** What another process sends past our server. */
export async function sendDirectly(simulator: Simulator, sessionId: string, ...events: object[]): Promise<void> {
  const answer = await fetch(`${simulator.url}/v1/sessions/${sessionId}/events`, {
    method: 'POST',
    headers: {
      'x-api-key': ANOTHER,
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'managed-agents-2026-04-01',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ events }),
  });
  expect(answer.status).toBe(200);
  await simulator.settle(sessionId);
}
