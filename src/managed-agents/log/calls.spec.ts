import { readCalls } from './situation-reader.js';
import { type LogEvent, type LogQuery } from './event.js';

const at = (second: number) => `2026-08-17T16:21:${String(second).padStart(2, '0')}.000000Z`;

/** An earlier turn with a confirmed call, and a turn that has just ended. */
const LOG: LogEvent[] = [
  { id: 'run_1', type: 'session.status_running' },
  { id: 'call_1', type: 'agent.tool_use', evaluated_permission: 'ask' },
  { id: 'answer_1', type: 'user.tool_confirmation', tool_use_id: 'call_1', result: 'allow' },
  { id: 'idle_1', type: 'session.status_idle', stop_reason: { type: 'end_turn' } },
  { id: 'run_2', type: 'session.status_running' },
  { id: 'call_2', type: 'agent.custom_tool_use' },
  { id: 'idle_2', type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: ['call_2'] } },
].map((event, index) => ({ ...event, processed_at: at(index) }));

/** Serves the log in pages of two events and notes what was asked. */
function pages(log: readonly LogEvent[]) {
  const queries: LogQuery[] = [];
  const fetchPage = (query: LogQuery) => {
    queries.push(query);
    const matching = log.filter(({ type }) => !query.types || query.types.includes(type));
    const listed = query.order === 'desc' ? matching.toReversed() : matching;
    const start = Number(query.page ?? 0);
    const nextPage = start + 2 < listed.length ? String(start + 2) : undefined;
    return Promise.resolve({ events: listed.slice(start, start + 2), nextPage });
  };
  return { queries, fetchPage };
}

/** The requests beyond those that tell the situation. */
function searches(queries: readonly LogQuery[]): LogQuery[] {
  return queries.filter(({ types }) => types?.includes('agent.tool_use') && !types.includes('session.status_idle'));
}

it('finds calls of the current turn in what the situation needed', async () => {
  const { queries, fetchPage } = pages(LOG);
  const { situation, traces } = await readCalls(fetchPage, ['call_2']);
  expect(situation).toMatchObject({ turn: 'requires_action', pendingActions: [{ toolUseId: 'call_2' }] });
  expect(traces.get('call_2')).toEqual({ call: LOG[5] });
  expect(searches(queries)).toHaveLength(0);
});

it('looks further back for older ones, and finds what was answered', async () => {
  const { queries, fetchPage } = pages(LOG);
  const { traces } = await readCalls(fetchPage, ['call_1', 'call_2']);
  expect(traces.get('call_1')).toEqual({ call: LOG[1], confirmation: LOG[2] });
  expect(traces.has('call_2')).toBe(true);
  expect(searches(queries).length).toBeGreaterThan(0);
});

it('stops at the end of the log, or after twenty pages more', async () => {
  const short = pages(LOG);
  expect((await readCalls(short.fetchPage, ['unknown'])).traces.size).toBe(0);
  const many = LOG.concat(
    Array.from({ length: 100 }, (_, index) => ({ id: `extra_${index}`, type: 'agent.tool_use', processed_at: at(30) })),
    { id: 'idle_3', type: 'session.status_idle', stop_reason: { type: 'end_turn' }, processed_at: at(40) },
  );
  const long = pages(many);
  expect((await readCalls(long.fetchPage, ['unknown'])).traces.size).toBe(0);
  expect(searches(long.queries)).toHaveLength(20);
});
