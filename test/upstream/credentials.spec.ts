import { AnthropicSettings } from '../../src/config/anthropic.settings.js';
import { createApiClient } from '../../src/managed-agents/api-client.js';
import { CatalogService } from '../../src/managed-agents/catalog.service.js';
import { callTool, connectHttp } from '../support/client.js';
import { Simulator } from '../simulator/index.js';
import { serverEnv, startServer, withEnvironment } from '../support/server.js';
import { stderrText } from '../support/stderr.js';

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterEach(() => simulator.close());

/** The headers of one call made with these settings. */
async function headersWith(env: Record<string, string>, tool = 'agent_list'): Promise<Record<string, unknown>> {
  const server = await startServer(serverEnv(simulator.url, env));
  const client = await connectHttp(server.url);
  await callTool(client, tool);
  await client.close();
  await server.close();
  return simulator.requests.at(-1)!.headers;
}

it('sends what the SDK sends by default', async () => {
  const headers = await headersWith({});
  expect(headers).toMatchObject({
    authorization: 'Bearer sk-ant-test-canary',
    'anthropic-beta': 'managed-agents-2026-04-01',
  });
  expect(headers['anthropic-version']).toMatch(/^\d{4}-\d\d-\d\d$/);
  expect(headers).not.toHaveProperty('x-api-key');
});

it('sends the key as x-api-key to gateways that want it there', async () => {
  const headers = await headersWith({ ANTHROPIC_API_KEY_HEADER: 'x-api-key' });
  expect(headers['x-api-key']).toBe('sk-ant-test-canary');
  expect(headers).not.toHaveProperty('authorization');
});

it.each(['agent_list', 'memory_store_list'])('overrides version and beta for %s', async (tool) => {
  const headers = await headersWith(
    { ANTHROPIC_VERSION: '2023-06-01', MANAGED_AGENTS_BETA: 'managed-agents-2099-01-01' },
    tool,
  );
  expect(headers).toMatchObject({ 'anthropic-version': '2023-06-01', 'anthropic-beta': 'managed-agents-2099-01-01' });
});

it("uses the SDK's own credential chain without a key", async () => {
  const settings = Object.assign(new AnthropicSettings(), { baseUrl: simulator.url, timeoutSeconds: 5, maxRetries: 0 });
  await withEnvironment({ ANTHROPIC_AUTH_TOKEN: 'token-of-the-chain' }, async () => {
    await new CatalogService(createApiClient(settings)).agents({});
  });
  expect(simulator.requests.at(-1)!.headers.authorization).toBe('Bearer token-of-the-chain');
});

it('tells the operator, not the model, why there is no credential', async () => {
  const env = serverEnv(simulator.url, {
    ANTHROPIC_API_KEY: '',
    ANTHROPIC_PROFILE: 'no-such-profile',
    ANTHROPIC_CONFIG_DIR: '/nonexistent',
  });
  const server = await startServer(env);
  const client = await connectHttp(server.url);
  const answer = await callTool(client, 'agent_list');
  expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(/no working Anthropic credential/) });
  expect(answer.text).not.toContain('no-such-profile');
  expect(stderrText()).toContain('no-such-profile');
  await client.close();
  await server.close();
});
