import { type Client, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { FIXTURES, say, Simulator } from '../simulator/index.js';
import { callTool, connectHttp, connectStdio, ERAS, MODERN } from '../support/client.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { eventually } from '../support/eventually.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let simulator: Simulator;
let server: TestServer;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true, agentPace: 'manual' });
  simulator.scenarios.set(agent_id, [say('I begin.'), say('Half-way.'), say('Done.')]);
  server = await startServer(serverEnv(simulator.url));
});
afterAll(async () => {
  await server.close();
  await simulator.close();
});

const connect: Record<'http' | 'stdio', (mode: VersionNegotiationMode) => Promise<Client>> = {
  http: (mode) => connectHttp(server.url, mode),
  stdio: async (mode) => (await connectStdio(serverEnv(simulator.url), mode)).client,
};

async function waitWithProgress(client: Client): Promise<{ messages: string[]; result: unknown }> {
  const started = await callTool(client, 'session_start', { agent_id, environment_id, message: 'Go' });
  const messages: string[] = [];
  const { session_id, next_since: since } = started.data;
  const waiting = client.callTool(
    { name: 'session_wait', arguments: { session_id, since } },
    { onprogress: ({ message }) => messages.push(message ?? '') },
  );
  const { log } = simulator.world.sessions.get(session_id as string);
  await eventually('followers of the session', () => log.subscribers);
  await simulator.settle(session_id as string);
  return { messages, result: (await waiting).structuredContent };
}

it.each([['http', '2026-07-28', MODERN] as const, ...ERAS.map(([era, mode]) => ['stdio', era, mode] as const)])(
  'over %s, a client of %s that asks for progress hears what the agent says',
  async (transport, _era, mode) => {
    const client = await connect[transport](mode);
    const { messages, result } = await waitWithProgress(client);
    await client.close();
    expect(result).toMatchObject({ reason: 'turn_over', final_message: 'Done.' });
    expect(messages.slice(0, 3)).toEqual(['I begin.', 'Half-way.', 'Done.']);
  },
);

it('over HTTP, a client of 2025 gets the same answer as plain JSON', async () => {
  const client = await connectHttp(server.url, 'legacy');
  const { messages, result } = await waitWithProgress(client);
  await client.close();
  expect(result).toMatchObject({ reason: 'turn_over', final_message: 'Done.' });
  expect(messages).toEqual([]);
});
