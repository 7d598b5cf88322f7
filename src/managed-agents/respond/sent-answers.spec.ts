import { cursorAtStart } from '../log/cursor.js';
import { type Answer } from './answer.js';
import { SentAnswers } from './sent-answers.js';

const MINUTE = 60_000;
const cursor = cursorAtStart('sesn_1');
const one = (answer: Answer, id = 'sevt_1') => new Map([[id, answer]]);

let now = 1;
let recent: SentAnswers;
beforeEach(() => {
  now = 1;
  recent = new SentAnswers({ now: () => now });
});

it('remembers an answer by session, call and kind', () => {
  recent.add('sesn_1', one({ type: 'allow' }), cursor);
  expect(recent.find('sesn_1', 'sevt_1', 'tool_confirmation')?.answer).toEqual({ type: 'allow' });
  expect(recent.find('sesn_1', 'sevt_1', 'custom_tool_result')).toBeUndefined();
  expect(recent.find('sesn_1', 'sevt_2', 'tool_confirmation')).toBeUndefined();
  expect(recent.find('sesn_2', 'sevt_1', 'tool_confirmation')).toBeUndefined();
});

it('does not keep the text of a result', () => {
  recent.add('sesn_1', one({ type: 'custom_result', text: 'long text', isError: false }), cursor);
  expect(JSON.stringify(recent.find('sesn_1', 'sevt_1', 'custom_tool_result'))).not.toContain('long text');
});

it('forgets after five minutes', () => {
  recent.add('sesn_1', one({ type: 'allow' }), cursor);
  now = 4 * MINUTE;
  recent.add('sesn_1', one({ type: 'deny' }, 'sevt_2'), cursor);
  now = 5 * MINUTE + 2;
  expect(recent.find('sesn_1', 'sevt_1', 'tool_confirmation')).toBeUndefined();
  expect(recent.find('sesn_1', 'sevt_2', 'tool_confirmation')).toBeDefined();
});

it('forgets the oldest of more than 5,000', () => {
  for (let index = 0; index <= 5000; index++) recent.add('sesn_1', one({ type: 'allow' }, `sevt_${index}`), cursor);
  expect(recent.find('sesn_1', 'sevt_0', 'tool_confirmation')).toBeUndefined();
  expect(recent.find('sesn_1', 'sevt_1', 'tool_confirmation')).toBeDefined();
});
