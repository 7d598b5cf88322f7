/** The concise form of session_events shows the text of every content block that has some. */
import { FIXTURES, type WireEvent } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

let harness: Harness;
let session_id: string;
beforeAll(async () => {
  harness = await startHarness();
  const { analyst: agent_id } = FIXTURES.agents;
  const started = await callTool(harness.client, 'session_start', {
    agent_id,
    environment_id: FIXTURES.environments.cloud,
  });
  session_id = started.data.session_id as string;
});
afterAll(() => harness.close());

let count = 0;
async function entryOf(event: Record<string, unknown>): Promise<Record<string, unknown>> {
  count += 1;
  const processed_at = `2026-11-22T10:00:${String(count).padStart(2, '0')}Z`;
  const id = `sevt_${count}`;
  harness.simulator.world.sessions.get(session_id).appendRaw({ id, processed_at, ...event } as WireEvent);
  const { data } = await callTool(harness.client, 'session_events', { session_id, format: 'concise' });
  return (data.events as { id: string }[]).find((entry) => entry.id === id)!;
}

const found = {
  type: 'search_result',
  title: 'Release notes',
  source: 'https://example.com/notes',
  content: [{ type: 'text', text: 'Version 5 is out.' }],
};
const document = {
  type: 'document',
  title: 'notes.txt',
  context: null,
  source: { type: 'text', media_type: 'text/plain', data: 'The answer is 42.' },
};

it.each([
  ['a search result', [found], ['Release notes', 'https://example.com/notes', 'Version 5 is out.']],
  ['a text document', [document], ['notes.txt', 'The answer is 42.']],
  [
    'a document of blocks',
    [{ type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'A' }] } }],
    ['A'],
  ],
  [
    'a document at an address',
    [{ type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }],
    ['https://example.com/a.pdf'],
  ],
  ['a block of an unknown type with text', [{ type: 'poem', text: 'Roses' }], ['Roses']],
  [
    'blocks beside each other',
    [{ type: 'text', text: 'first' }, found, { type: 'image' }],
    ['first', 'Version 5', '[image]'],
  ],
])('%s in a result', async (_, content, texts) => {
  const entry = await entryOf({ type: 'agent.tool_result', tool_use_id: 'sevt_u1', content });
  for (const text of texts) expect(entry.result).toContain(text);
});

it.each(['user.message', 'agent.message'])('a document in a %s', async (type) => {
  expect((await entryOf({ type, content: [document] })).text).toContain('The answer is 42.');
});

it('a summary of thinking', async () => {
  const entry = await entryOf({ type: 'agent.thinking', content: [{ type: 'thinking', thinking: 'Two ways exist.' }] });
  expect(entry.text).toContain('Two ways exist.');
});

it.each([
  [{ type: 'agent.tool_result', tool_use_id: 'sevt_u1', is_error: null, content: [] }],
  [{ type: 'agent.tool_use', name: 'bash', input: {}, evaluated_permission: null, session_thread_id: null }],
  [{ type: 'session.error', error: { type: 'unknown_error', message: 'x', retry_status: null } }],
  [{ type: 'agent.thread_message_received', from_agent_name: null, content: [{ type: 'text', text: 'x' }] }],
  [{ type: 'session.updated', title: null, metadata: { a: null } }],
  [{ type: 'agent.mystery', depth: null, inner: { a: null, b: 1 } }],
  [{ type: 'session.status_idle', stop_reason: { type: 'end_turn' }, stop_details: null }],
])('%j has no empty fields', async (event) => {
  const entry = await entryOf(event);
  expect(JSON.stringify(entry)).not.toContain('null');
});
