import { type CallTrace, traceCalls } from '../log/situation-reader.js';
import { type LogEvent } from '../log/event.js';
import { type PendingAction } from '../log/pending.js';
import { type Answer, given } from './answer.js';
import { judge } from './answer.js';

const ID = 'sevt_1';
const ALLOW: Answer = { type: 'allow' };
const DENY: Answer = { type: 'deny', message: 'no' };
const RESULT: Answer = { type: 'custom_result', text: 'done', isError: false };
const pending = (kind: PendingAction['kind']): PendingAction => ({ toolUseId: ID, kind });

const call = (type = 'agent.tool_use', evaluated_permission?: string): LogEvent => ({
  id: ID,
  type,
  evaluated_permission,
});
const confirmation = (result: string): LogEvent => ({
  id: 'sevt_2',
  type: 'user.tool_confirmation',
  tool_use_id: ID,
  result,
});
const customResult = (content: unknown, is_error?: boolean): LogEvent => ({
  id: 'sevt_3',
  type: 'user.custom_tool_result',
  custom_tool_use_id: ID,
  content,
  is_error,
});
const trace = (...events: LogEvent[]): CallTrace | undefined => traceCalls(events, new Set([ID])).get(ID);
const text = (value: string) => [{ type: 'text', text: value }];

it.each<[string, Answer, Parameters<typeof judge>[2]]>([
  ['a confirmation that waits', ALLOW, { pending: pending('tool_confirmation') }],
  ['a denial that waits', DENY, { pending: pending('tool_confirmation'), trace: trace(call()) }],
  ['a custom result that waits', RESULT, { pending: pending('custom_tool_result') }],
])('sends %s', (_name, answer, knowledge) => {
  expect(judge(ID, answer, knowledge)).toEqual({ toolUseId: ID, type: 'send' });
});

it.each<[string, Answer, Parameters<typeof judge>[2]]>([
  ['in the log', ALLOW, { trace: trace(call(), confirmation('allow')) }],
  [
    'in the log, denied with other words',
    { type: 'deny', message: 'never' },
    { trace: trace(call(), confirmation('deny')) },
  ],
  [
    'in memory, while the log still shows it waiting',
    ALLOW,
    { remembered: given(ALLOW), pending: pending('tool_confirmation') },
  ],
  ['as the same result', RESULT, { trace: trace(call(), customResult(text('done'))) }],
  ['as an empty result', { ...RESULT, text: '' }, { trace: trace(call(), customResult(undefined)) }],
  [
    'before its worker took over',
    ALLOW,
    { trace: trace(call(), confirmation('allow')), pending: pending('tool_result') },
  ],
])('takes an answer for given: %s', (_name, answer, knowledge) => {
  expect(judge(ID, answer, knowledge)).toEqual({ toolUseId: ID, type: 'already_answered' });
});

it.each<[object, Answer, Parameters<typeof judge>[2]]>([
  [{ type: 'answered', with: 'deny' }, ALLOW, { trace: trace(call(), confirmation('deny')) }],
  [{ type: 'answered', with: 'allow' }, DENY, { remembered: given(ALLOW), trace: trace(call()) }],
  [{ type: 'answered', with: 'custom_result' }, RESULT, { trace: trace(call(), customResult(text('other'))) }],
  [{ type: 'answered', with: 'custom_result' }, RESULT, { trace: trace(call(), customResult(text('done'), true)) }],
  [{ type: 'answered', with: 'custom_result' }, RESULT, { trace: trace(call(), customResult([{ type: 'image' }])) }],
  [{ type: 'answered', with: 'custom_result' }, ALLOW, { trace: trace(call(), customResult(text('done'))) }],
  [{ type: 'answered', with: 'allow' }, RESULT, { trace: trace(call(), confirmation('allow')) }],
  [{ type: 'waits', for: 'custom_tool_result' }, ALLOW, { pending: pending('custom_tool_result') }],
  [{ type: 'waits', for: 'tool_confirmation' }, RESULT, { pending: pending('tool_confirmation') }],
  [{ type: 'waits', for: 'tool_result' }, ALLOW, { pending: pending('tool_result') }],
  [{ type: 'waits', for: 'tool_result' }, RESULT, { pending: pending('tool_result') }],
  [{ type: 'never_asked', permission: 'allow' }, ALLOW, { trace: trace(call('agent.tool_use', 'allow')) }],
  [{ type: 'never_asked', permission: 'deny' }, ALLOW, { trace: trace(call('agent.mcp_tool_use', 'deny')) }],
  [{ type: 'ended' }, ALLOW, { trace: trace(call('agent.tool_use', 'ask')) }],
  [{ type: 'ended' }, RESULT, { trace: trace(call('agent.custom_tool_use')) }],
  [{ type: 'unknown' }, ALLOW, {}],
])('refuses with %j', (state, answer, knowledge) => {
  expect(judge(ID, answer, knowledge)).toEqual({ toolUseId: ID, type: 'refuse', state });
});

it('lets the first of several answers count', () => {
  const first = trace(call(), customResult(text('done')), { ...customResult(text('again')), id: 'sevt_4' });
  expect(judge(ID, RESULT, { trace: first })).toMatchObject({ type: 'already_answered' });
});
