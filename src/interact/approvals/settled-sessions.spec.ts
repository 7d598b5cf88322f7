import { type Situation } from '../../managed-agents/log/situation.js';
import { type Session } from '../../managed-agents/sessions.service.js';
import { SettledSessions } from './settled-sessions.js';

// The time stands still: on a busy machine this file takes longer than the minute that it is about.
jest.useFakeTimers();
afterAll(() => jest.useRealTimers());

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const HOUR_AGO = ago(3_600_000);

const session = (fields: Partial<Session> = {}): Session =>
  ({ id: 'sesn_1', status: 'idle', updated_at: HOUR_AGO, usage: { output_tokens: 1 }, ...fields }) as Session;
const over = (fields: Partial<Situation> = {}): Situation =>
  ({ turn: 'over', pendingActions: [], complete: true, ...fields }) as Situation;

let settled: SettledSessions;
beforeEach(() => {
  settled = new SettledSessions();
});

it('knows a session that has finished, as long as it looks the same', () => {
  expect(settled.has(session())).toBe(false);
  settled.remember(session(), over());
  expect(settled.has(session())).toBe(true);
  expect(settled.has(session({ id: 'sesn_2' }))).toBe(false);
});

it('knows a session that was never asked anything', () => {
  settled.remember(session(), over({ turn: 'not_started' }));
  expect(settled.has(session())).toBe(true);
});

it.each<[string, Partial<Session>]>([
  ['its status', { status: 'running' }],
  ['when it was updated', { updated_at: ago(3_000_000) }],
  ['its usage', { usage: { output_tokens: 2 } }],
])('forgets a session for good once %s has changed', (_, change) => {
  settled.remember(session(), over());
  expect(settled.has(session(change))).toBe(false);
  expect(settled.has(session())).toBe(false);
});

it.each<[string, Partial<Situation>]>([
  ['runs', { turn: 'running' }],
  ['is about to go on', { turn: 'queued' }],
  ['waits', { turn: 'requires_action' }],
  ['is paused by its budget', { turn: 'budget_reached' }],
  ['has a log that was not read far enough', { complete: false }],
  ['has a pending call', { pendingActions: [{ toolUseId: 'sevt_1', kind: 'tool_confirmation' }] }],
])('does not remember a session that %s', (_, situation) => {
  settled.remember(session(), over(situation));
  expect(settled.has(session())).toBe(false);
});

/** The log can be behind the object by two seconds: it may end with an older turn while the object shows the newest. */
it.each<[string, Partial<Session>]>([
  ['that changed lately', { updated_at: ago(59_000) }],
  ['of the future, by a clock that differs', { updated_at: ago(-5_000) }],
  ['without a readable time', { updated_at: 'yesterday' }],
  ['that seems to run', { status: 'running' }],
])('does not remember a session object %s', (_, fields) => {
  settled.remember(session(fields), over());
  expect(settled.has(session(fields))).toBe(false);
});

it('remembers at most 10,000 sessions, and gives up the one longest unused', () => {
  for (let index = 0; index < 10_000; index++) settled.remember(session({ id: `sesn_${index}` }), over());
  expect(settled.has(session({ id: 'sesn_0' }))).toBe(true);
  settled.remember(session({ id: 'sesn_new' }), over());
  expect(settled.has(session({ id: 'sesn_1' }))).toBe(false);
  expect(settled.has(session({ id: 'sesn_0' }))).toBe(true);
  expect(settled.has(session({ id: 'sesn_new' }))).toBe(true);
});
