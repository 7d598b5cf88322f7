import { type Client } from '@modelcontextprotocol/client';
import { startHarness, type Harness } from '../support/harness.js';
import { callTool, connectStdio, ERAS } from '../support/client.js';
import { FIXTURES } from '../simulator/index.js';
import { serverEnv } from '../support/server.js';

const KEY = 'gw-canary-1234567890abcdef';
const ENCODED = Buffer.from(`user:${KEY}`).toString('base64');

let harness: Harness;
let client: Client;
beforeAll(async () => {
  harness = await startHarness({
    env: {
      ANTHROPIC_API_KEY: KEY,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Basic%20${encodeURIComponent(ENCODED)}`,
      OTEL_SDK_DISABLED: 'true',
    },
  });
  client = harness.client;
});
afterAll(() => harness.close());

const SPELLINGS = [KEY, `Bearer ${KEY}`, encodeURIComponent(KEY), Buffer.from(KEY).toString('base64'), ENCODED];

it.each(SPELLINGS)('an error of a gateway that quotes a secret arrives without it (%s)', async (spelling) => {
  for (const status of [400, 403, 404, 409, 418]) {
    harness.simulator.faults.add({
      path: /agents/,
      status,
      error: { message: `key ${spelling} may not use this model ${'.'.repeat(230)} ${spelling}` },
    });
    const { isError, text } = await callTool(client, 'agent_list');
    expect([isError, text]).toEqual([true, expect.stringContaining('[redacted]')]);
    expect(text).not.toContain(KEY.slice(0, 10));
    expect(text).not.toContain(ENCODED.slice(0, 10));
  }
});

it.each(SPELLINGS)(
  'what an agent wrote arrives without a secret of the server, in every format (%s)',
  async (spelling) => {
    const { data } = await callTool(client, 'session_start', {
      agent_id: FIXTURES.agents.researcher,
      environment_id: FIXTURES.environments.cloud,
      title: `about ${spelling}`,
      message: `look at ${spelling}`,
    });
    const session_id = data.session_id as string;
    await harness.simulator.settle(session_id);
    for (const format of ['concise', 'detailed']) {
      const answer = await callTool(client, 'session_events', { session_id, format });
      expect(JSON.stringify(answer)).toContain('look at ');
      expect(JSON.stringify(answer)).not.toContain(spelling.replace('Bearer ', ''));
    }
    for (const tool of ['session_get', 'session_list', 'session_wait']) {
      const args = tool === 'session_list' ? {} : { session_id };
      expect(JSON.stringify(await callTool(client, tool, args))).not.toContain(spelling.replace('Bearer ', ''));
    }
  },
);

it.each(ERAS)('over stdio as well, progress included (%s)', async (_, mode) => {
  const { client: local } = await connectStdio(serverEnv(harness.simulator.url, { ANTHROPIC_API_KEY: KEY }), mode);
  harness.simulator.faults.add({ path: /agents/, status: 403, error: { message: `key ${KEY}` } });
  expect((await callTool(local, 'agent_list')).text).toContain('key [redacted]');
  await local.close();
});
