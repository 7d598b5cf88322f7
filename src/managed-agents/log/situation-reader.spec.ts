import fc from 'fast-check';
import { type FetchPage, type LogEvent, type LogQuery } from './event.js';
import { type Situation, situationOf } from './situation.js';
import { readSituation } from './situation-reader.js';

const micros = (index: number): string => `2026-08-17T12:00:00.${String(index).padStart(6, '0')}Z`;
const logOf = (...events: (Partial<LogEvent> & { type: string })[]): LogEvent[] =>
  events.map((event, index) => ({ id: `sevt_${index}`, processed_at: micros(index), ...event }));

const running = { type: 'session.status_running' };
const idle = { type: 'session.status_idle', stop_reason: { type: 'end_turn' } };
const output = { type: 'agent.message' };
const queued = { type: 'user.message', processed_at: null };
const many = (count: number): (typeof output)[] => Array.from({ length: count }, () => output);

/** Lists `log` as it stands, or backwards, in pages of at most `maxPageSize`. */
function listing(log: readonly LogEvent[], maxPageSize = 1000): { fetchPage: FetchPage; queries: LogQuery[] } {
  const queries: LogQuery[] = [];
  const fetchPage: FetchPage = (query) => {
    queries.push(query);
    const matching = log.filter(({ type }) => query.types?.includes(type) ?? true);
    const listed = query.order === 'asc' ? matching : matching.toReversed();
    const offset = Number(query.page ?? 0);
    const end = offset + Math.min(query.limit, maxPageSize);
    return Promise.resolve({
      events: listed.slice(offset, end),
      nextPage: end < listed.length ? String(end) : undefined,
    });
  };
  return { fetchPage, queries };
}

/** Gives the first tool calls the ids that answers and idle events name. */
function nameCalls(log: readonly LogEvent[]): LogEvent[] {
  const ids = ['a', 'b', 'c'];
  return log.map((event) => (event.type === 'agent.tool_use' ? { ...event, id: ids.shift() ?? event.id } : event));
}

describe('readSituation', () => {
  it('reads a short log with one request, newest first, only what tells', async () => {
    const { fetchPage, queries } = listing(logOf(running, output, idle));
    await expect(readSituation(fetchPage)).resolves.toMatchObject({ turn: 'over', complete: true });
    expect(queries).toHaveLength(1);
    expect(queries[0]).toMatchObject({ order: 'desc', limit: 200 });
    expect(queries[0]?.types).toEqual(expect.arrayContaining(['session.status_idle', 'session.error']));
    expect(queries[0]?.types).not.toContain('session.deleted');
  });

  it('reads an empty log', async () => {
    await expect(readSituation(listing([]).fetchPage)).resolves.toMatchObject({ turn: 'not_started', complete: true });
  });

  it('stops where the turn begins', async () => {
    const { fetchPage, queries } = listing(logOf(...many(5000), idle, running, ...many(50)));
    await expect(readSituation(fetchPage)).resolves.toMatchObject({ turn: 'running', complete: true });
    expect(queries.map(({ order }) => order)).toEqual(['desc']);
  });

  it('goes back through a long turn', async () => {
    const error = { type: 'session.error', error: { type: 'billing_error', message: 'No credit' } };
    const { fetchPage, queries } = listing(logOf(running, error, ...many(2500), idle));
    await expect(readSituation(fetchPage)).resolves.toMatchObject({
      turn: 'over',
      failed: false,
      warnings: [{ type: 'billing_error' }],
      complete: true,
    });
    expect(queries.map(({ limit }) => limit)).toEqual([200, 1000, 1000, 1000]);
  });

  it('says that it is incomplete when five pages do not reach the beginning of the turn', async () => {
    const { fetchPage, queries } = listing(logOf(running, ...many(6000)));
    const situation = await readSituation(fetchPage);
    expect(situation).toMatchObject({ status: undefined, turn: 'running', complete: false });
    expect(queries.map(({ order }) => order)).toEqual(['desc', 'desc', 'desc', 'desc', 'desc']);
  });

  it('finds a queued message at the end of a long log', async () => {
    const log = [...logOf(...many(5000), idle, running, output, idle), { id: 'sevt_queued', ...queued }];
    await expect(readSituation(listing(log).fetchPage)).resolves.toMatchObject({ turn: 'queued', queuedInputs: 1 });
  });

  it('finds the call that the idle names wherever it stands, by its type', async () => {
    const call = { type: 'agent.tool_use', id: 'a', evaluated_permission: 'ask', input: { command: 'ls' } };
    const asks = { type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: ['a'] } };
    const result = { type: 'agent.tool_result', tool_use_id: 'x' };
    const log = logOf(running, call, ...Array.from({ length: 6000 }, () => result), asks);
    const { fetchPage, queries } = listing(log);
    const { pendingActions } = await readSituation(fetchPage);
    expect(pendingActions).toMatchObject([{ toolUseId: 'a', kind: 'tool_confirmation', input: { command: 'ls' } }]);
    expect(queries.at(-1)?.types).not.toContain('agent.tool_result');
  });

  it('goes on for twenty pages at most when they are smaller than asked for', async () => {
    const { fetchPage, queries } = listing(logOf(running, ...many(500)), 10);
    await expect(readSituation(fetchPage)).resolves.toMatchObject({ turn: 'running', complete: false });
    expect(queries).toHaveLength(20);
  });

  it('keeps the newest message, also when the list repeats it, and the input of calls that wait', async () => {
    const call = { type: 'agent.tool_use', evaluated_permission: 'ask', input: { command: 'ls' } };
    const asks = { type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: ['sevt_3'] } };
    const log = logOf(running, { type: 'agent.message', content: 'old' }, { ...output, content: 'new' }, call, asks);
    const situation = await readSituation(listing(log.flatMap((event) => [event, event])).fetchPage);
    expect(situation.lastMessage).toMatchObject({ content: 'new' });
    expect(situation.pendingActions).toMatchObject([{ toolUseId: 'sevt_3', input: { command: 'ls' } }]);
  });

  it('keeps the input of a call that the newest idle waits for, answered before or not', async () => {
    const call = { type: 'agent.tool_use', evaluated_permission: 'ask', input: { command: 'ls' } };
    const log = nameCalls(
      logOf(
        call,
        { type: 'agent.tool_result', tool_use_id: 'a', content: '' },
        { type: 'session.status_idle', stop_reason: { type: 'end_turn' } },
        { type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: ['a'] } },
      ),
    );
    const situation = await readSituation(listing(log, 1).fetchPage);
    expect(situation.pendingActions).toMatchObject([{ input: { command: 'ls' } }]);
  });

  it('passes on what fetching a page throws', async () => {
    await expect(readSituation(() => Promise.reject(new Error('overloaded')))).rejects.toThrow('overloaded');
  });

  it('says the same as the whole log does, when it says it is complete', async () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const thread = fc.constantFrom(undefined, 'sthr_1');
    const stop = fc.oneof(
      fc.constantFrom('end_turn', 'retries_exhausted', 'budget_reached').map((type) => ({ type })),
      fc.record({ type: fc.constant('requires_action'), event_ids: fc.uniqueArray(id, { minLength: 1 }) }),
    );
    const retry = fc
      .constantFrom('retrying', 'exhausted')
      .map((type) => ({ message: 'Overloaded', retry_status: { type } }));
    const some = fc.oneof(
      fc.constantFrom({ type: 'session.status_running' }, { type: 'user.message', content: 'text' }),
      fc.record({ type: fc.constant('agent.message'), content: fc.string() }),
      fc.record({ type: fc.constant('session.status_idle'), stop_reason: stop }),
      fc.record({ type: fc.constant('session.error'), error: retry }),
      fc.record({
        type: fc.constant('agent.tool_use'),
        evaluated_permission: fc.constantFrom('ask', 'allow'),
        input: fc.record({ command: fc.string() }),
        session_thread_id: thread,
      }),
      fc.record({
        type: fc.constant('user.tool_confirmation'),
        tool_use_id: id,
        result: fc.constantFrom('allow', 'deny'),
      }),
      fc.record({ type: fc.constant('agent.tool_result'), tool_use_id: id, content: fc.string() }),
      fc.record({
        type: fc.constantFrom('session.thread_status_terminated', 'user.interrupt'),
        session_thread_id: thread,
      }),
    );
    const withoutUsage = ({ usage: _usage, budget: _budget, ...rest }: Situation): Partial<Situation> => rest;
    const waiting = { id: 'sevt_queued', ...queued };
    const ends = fc.constantFrom([[], [waiting]], [[], []]);
    const pageSizes = fc.constantFrom(1, 2, 3, 5);
    await fc.assert(
      fc.asyncProperty(
        fc.array(some, { maxLength: 30 }),
        ends,
        pageSizes,
        async (events, [first, last], maxPageSize) => {
          const log = [...(first ?? []), ...nameCalls(logOf(...events)), ...(last ?? [])];
          const read = await readSituation(listing(log, maxPageSize).fetchPage);
          fc.pre(read.complete);
          expect(withoutUsage(read)).toEqual(withoutUsage(situationOf(log, true)));
        },
      ),
      { numRuns: 1500 },
    );
  }, 30_000);
});
