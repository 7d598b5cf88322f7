import { digestOf } from './transcript.js';

const event = (type: string, fields: object = {}) => ({
  id: 'sevt_1',
  type,
  processed_at: '2026-08-17T12:00:00Z',
  ...fields,
});
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const long = 'word '.repeat(1000);

it.each([
  ['agent.message', text('one\n  two'), { type: 'agent.message', text: 'one two' }],
  ['user.message', text('go'), { type: 'user.message', text: 'go' }],
  ['agent.tool_use', { name: 'bash', input: { a: 1 } }, { tool: 'bash', input: { a: 1 } }],
  [
    'agent.mcp_tool_use',
    { name: 'find', input: { q: long } },
    { tool: 'find', input: expect.stringMatching(/truncated/) },
  ],
  ['agent.custom_tool_use', { name: 'ask' }, { tool: 'ask' }],
  ['agent.tool_result', { is_error: true, ...text('no') }, { type: 'agent.tool_result', is_error: true, result: 'no' }],
  ['agent.tool_result', text('fine'), undefined],
  ['agent.mcp_tool_result', { is_error: null }, undefined],
  ['agent.mystery', { depth: 3 }, { type: 'agent.mystery', about: '{"depth":3}' }],
  ['agent.mystery', {}, { type: 'agent.mystery' }],
  ['span.model_request_end', {}, undefined],
  ['session.usage', { usage: {} }, undefined],
  ['session.status_idle', { stop_reason: { type: 'end_turn' } }, undefined],
  ['user.tool_confirmation', { result: 'allow' }, undefined],
])('%s %j', (type, fields, digest) => {
  expect(digestOf(event(type, fields), undefined)).toEqual(digest);
});

it('leaves out the message that is shown in full', () => {
  const message = event('agent.message', text('the end'));
  expect(digestOf(message, message)).toBeUndefined();
});

it.each([
  ['agent.message', text(long), 700],
  ['user.message', text(long), 250],
  ['agent.tool_use', { name: 'bash', input: { long } }, 250],
  ['agent.tool_result', { is_error: true, ...text(long) }, 250],
  ['session.error', { error: { message: long } }, 250],
  ['agent.mystery', { [long]: long }, 250],
])('%s is short, however long the event', (type, fields, maxChars) => {
  expect(JSON.stringify(digestOf(event(type, fields), undefined)).length).toBeLessThan(maxChars);
});

it.each([{ content: null }, { content: [null, 5, { type: 'image' }] }, { content: 'plain' }, {}])(
  'copes with %j',
  (fields) => {
    for (const type of ['agent.message', 'agent.tool_use', 'agent.tool_result'])
      expect(() => digestOf(event(type, { is_error: true, ...fields }), undefined)).not.toThrow();
  },
);
