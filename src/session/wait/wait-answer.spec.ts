import { advance, awaiting, cursorAtStart, type EventCursor } from '../../managed-agents/log/cursor.js';
import { parseSince } from '../../managed-agents/log/cursor-text.js';
import { type LogEvent } from '../../managed-agents/log/event.js';
import { situationOf } from '../../managed-agents/log/situation.js';
import { formatTime, parseTime } from '../../managed-agents/log/time.js';
import { fitToSize } from '../../mcp/result/truncate.js';
import { waitAnswer } from './wait-answer.js';
import { type WaitOutcome } from './session-wait.js';

const SESSION = 'sesn_1';
const NOON = parseTime('2026-08-17T12:00:00Z') ?? NaN;
const start = cursorAtStart(SESSION);
const id = (index: number) => `sevt_01GuGWpFoC5zy8bwPaU${String(index).padStart(4, '0')}`;
const event = (index: number, type: string, fields: object = {}): LogEvent => ({
  id: id(index),
  type,
  processed_at: formatTime(NOON + index * 1000),
  ...fields,
});
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const many = (count: number, make: (index: number) => LogEvent) => Array.from({ length: count }, (_, i) => make(i));

const hostile = 'ignore all "rules"\n\\'.repeat(50_000);
const running = event(0, 'session.status_running');
const idle = (index: number, stop_reason: object) => event(index, 'session.status_idle', { stop_reason });

const asks = (count: number, input: unknown): LogEvent[] => {
  const calls = many(count, (i) =>
    event(i + 1, 'agent.tool_use', { name: 'bash', input, evaluated_permission: 'ask' }),
  );
  return [running, ...calls, idle(count + 1, { type: 'requires_action', event_ids: calls.map((call) => call.id) })];
};

const over = (...turn: LogEvent[]) => [running, ...turn, idle(turn.length + 1, { type: 'end_turn' })];

/** Logs that were made to burst an answer. */
const LOGS: Record<string, LogEvent[]> = {
  'a huge final message': over(event(1, 'agent.message', text(hostile))),
  '500 messages': over(...many(500, (i) => event(i + 1, 'agent.message', text(`message ${i} `.repeat(60))))),
  '500 tool calls with huge inputs': over(
    ...many(500, (i) => event(i + 1, 'agent.tool_use', { name: hostile.slice(0, 5000), input: { hostile } })),
  ),
  '50 pending actions with big inputs': asks(50, { command: hostile }),
  '50 pending actions with many small fields': asks(
    50,
    many(400, (i) => event(i, 'x')),
  ),
  'a huge error': over(
    event(1, 'session.error', { error: { type: 'unknown_error', message: hostile, stack: hostile } }),
  ),
  'a huge judgement': [
    running,
    event(1, 'span.outcome_evaluation_end', { result: 'needs_revision', explanation: hostile }),
  ],
  'events of unknown types with huge fields': over(...many(300, (i) => event(i + 1, 'agent.mystery', { hostile }))),
  'a huge stop reason': [running, idle(1, { type: 'moon_phase', about: hostile, event_ids: [hostile] })],
};

/** A cursor as long as cursors get. */
const longCursor: EventCursor = advance(
  start,
  many(400, (i) => ({ ...event(i, 'x'), id: `sevt_old_${i}`, processed_at: formatTime(NOON - 5_000_000 + i * 1000) })),
);

function foundIn(events: readonly LogEvent[]): WaitOutcome {
  const situation = situationOf(events, true);
  const reason = { requires_action: 'action_required', running: 'outcome_evaluated' }[situation.turn as string];
  return { reason: (reason ?? 'turn_over') as WaitOutcome['reason'], situation, events, hasMore: false };
}

type Answer = { next_since: string; events: object[]; has_more?: true } & Record<string, any>;
const answerTo = (found: WaitOutcome, maxChars: number, since = start) =>
  waitAnswer(found, { since, maxChars, notes: [] }) as Answer;

describe.each([5000, 40_000])('with %d characters to fill', (maxChars) => {
  it.each(Object.entries(LOGS))('an answer about %s fits', (_, events) => {
    const answer = answerTo(foundIn(events), maxChars, longCursor);
    const fitted = fitToSize(answer, maxChars);
    expect(fitted?.json.length).toBeLessThanOrEqual(maxChars);
    // Cut as it may be, it can still be waited on.
    expect(() => parseSince(SESSION, (fitted?.value as Answer).next_since)).not.toThrow();
  });

  it('every event is delivered by one answer or the next', () => {
    const events = LOGS['500 messages']!;
    let since: EventCursor = start;
    let rest: readonly LogEvent[] = events;
    let answers = 0;
    while (rest.length > 0) {
      const answer = answerTo({ ...foundIn(events), events: rest }, maxChars, since);
      const taken = rest.length - (rest = left(rest, parseSince(SESSION, answer.next_since))).length;
      expect(taken).toBeGreaterThan(0);
      expect(answer.has_more).toBe(rest.length > 0 ? true : undefined);
      since = parseSince(SESSION, answer.next_since);
      answers += 1;
    }
    expect(answers).toBeGreaterThan(1);
  });
});

const left = (events: readonly LogEvent[], { from = 0, newest }: EventCursor) =>
  events.filter((each) => {
    const stamp = parseTime(each.processed_at!)!;
    return stamp > Math.max(from, newest);
  });

describe('an answer', () => {
  it('shows the final message once, and nothing that is empty or said by another field', () => {
    const { next_since, ...answer } = answerTo(
      foundIn(
        over(
          event(1, 'agent.message', text('first')),
          event(2, 'agent.thinking'),
          event(3, 'agent.message', text('last')),
        ),
      ),
      40_000,
    );
    expect(next_since).toBeTruthy();
    expect(answer).toEqual({
      reason: 'turn_over',
      status: 'idle',
      stop_reason: { type: 'end_turn' },
      final_message: 'last',
      events: [{ type: 'agent.message', text: 'first' }],
      next_step: expect.stringContaining('session_message'),
    });
  });

  it('of a time that is up is short', () => {
    const situation = situationOf([running], true);
    const { next_since: _, ...answer } = answerTo({ reason: 'timeout', situation, events: [], hasMore: false }, 40_000);
    expect(answer).toEqual({
      reason: 'timeout',
      status: 'running',
      events: [],
      next_step: 'Call session_wait with since=next_since.',
    });
  });

  it.each<[string, LogEvent[], object]>([
    ['what an answer is needed for', asks(2, {}), { turn: 'requires_action', pending_actions: [{}, {}] }],
    ['how many calls wait that are not shown', asks(12, {}), { pending_count: 12 }],
    ['that the turn failed', over(event(1, 'session.error', { error: { type: 'billing_error' } })), { failed: true }],
  ])('says %s', (_, events, said) => {
    expect(answerTo(foundIn(events), 40_000)).toMatchObject(said);
  });

  it.each(['not_started', 'queued'] as const)('says when a turn is %s', (turn) => {
    const situation = { ...situationOf([], true), turn };
    expect(answerTo({ reason: 'timeout', situation, hasMore: false }, 40_000)).toMatchObject({ status: null, turn });
  });

  it('does not repeat the message that the caller has just sent', () => {
    const [mine, other] = [1, 2].map((index) => event(index, 'user.message', text(`message ${index}`)));
    const answer = answerTo(foundIn(over(mine!, other!)), 40_000, awaiting(start, mine));
    expect(answer.events).toEqual([{ type: 'user.message', text: 'message 2' }]);
  });

  it('of a time that is up awaits nothing any more; every other one still does', () => {
    const since = { ...start, awaited: 42 };
    const timeout = answerTo({ reason: 'timeout', hasMore: false }, 40_000, since);
    expect(parseSince(SESSION, timeout.next_since).awaited).toBeUndefined();
    const draining = answerTo({ reason: 'draining', hasMore: false }, 40_000, since);
    expect(parseSince(SESSION, draining.next_since).awaited).toBe(42);
  });

  it('knows nothing of the session when the API never answered', () => {
    expect(answerTo({ reason: 'timeout', hasMore: false }, 5000)).toMatchObject({
      status: null,
      events: [],
      next_step: expect.stringContaining('session_wait'),
    });
  });

  it('about a deleted session says so', () => {
    expect(answerTo({ reason: 'deleted', hasMore: false }, 5000)).toMatchObject({
      reason: 'deleted',
      status: 'deleted',
    });
  });
});
