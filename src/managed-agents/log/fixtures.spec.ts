import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type LogEvent } from './event.js';
import { type Situation, situationOf } from './situation.js';

const fixture = (name: string): LogEvent[] =>
  (
    JSON.parse(readFileSync(join(__dirname, `../../../test/fixtures/logs/${name}.json`), 'utf8')) as {
      events: LogEvent[];
    }
  ).events;
const prefixes = (log: readonly LogEvent[]) => log.map((_, index) => situationOf(log.slice(0, index + 1), true));
const idsOf = ({ pendingActions }: Situation) => pendingActions.map(({ toolUseId }) => toolUseId);
const RUNS = { numRuns: 10_000 };

describe('logs in the order of the real API', () => {
  it.each([
    ['sub-agent-allowed-stale-idle', 'tool_confirmation'],
    ['sub-agent-denied-stale-idle', 'tool_confirmation'],
    ['sub-agent-custom-stale-idle', 'custom_tool_result'],
  ])('%s: the call is pending from its event to its answer, and never again', (name, kind) => {
    const log = fixture(name);
    const call = log.findIndex(({ type }) => type.endsWith('tool_use'));
    const answer = log.findIndex(({ type }) => /^user\.(tool_confirmation|custom_tool_result)$/.test(type));
    const expected = log.map((_, index) => (index >= call && index < answer ? [log[call]!.id] : []));
    expect(prefixes(log).map(idsOf)).toEqual(expected);
    expect(prefixes(log)[call]?.pendingActions).toMatchObject([{ kind, sessionThreadId: 'sthr_sub' }]);
    expect(situationOf(log, true)).toMatchObject({ turn: 'over', failed: false });
    // The later idle still names the call, which was answered: the session goes on by itself.
    expect(prefixes(log).filter(({ turn }) => turn === 'requires_action')).toHaveLength(1);
  });

  it('an error before a good turn is a warning', () => {
    expect(situationOf(fixture('server-refused-good-turn'), true)).toMatchObject({
      turn: 'over',
      failed: false,
      error: undefined,
      warnings: [{ type: 'mcp_authentication_failed_error' }],
    });
  });

  it('an answer that stays unprocessed leaves the other call pending', () => {
    const log = fixture('two-custom-calls');
    const [first, second] = log.filter(({ type }) => type === 'agent.custom_tool_use').map(({ id }) => id);
    const answer = { id: 'sevt_fx90', type: 'user.custom_tool_result', custom_tool_use_id: second, processed_at: null };
    const situation = situationOf([...log, answer], true);
    expect([situation.turn, idsOf(situation), situation.queued]).toEqual(['requires_action', [first], [answer]]);
  });

  it('short fractions are stamps like others', () => {
    expect(situationOf(fixture('short-fractions'), true)).toMatchObject({ turn: 'over', failed: false });
  });
});

describe('calls of one step', () => {
  const stamp = (index: number) => `2026-10-05T08:00:${String(index % 60).padStart(2, '0')}.000001Z`;
  const stamped = (events: readonly object[]) =>
    events.map((event, index) => ({ id: `sevt_${index}`, processed_at: stamp(index), ...event }) as LogEvent);
  const calls = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 });
  const isCustom = (id: string) => id < 'c';
  const callOf = (id: string) =>
    isCustom(id)
      ? { id, type: 'agent.custom_tool_use', name: 'find_part' }
      : { id, type: 'agent.tool_use', evaluated_permission: 'ask', name: 'bash', input: {} };
  const answerOf = (id: string) =>
    isCustom(id)
      ? { type: 'user.custom_tool_result', custom_tool_use_id: id }
      : { type: 'user.tool_confirmation', tool_use_id: id, result: id === 'c' ? 'deny' : 'allow' };
  const idle = (ids: readonly string[]) => ({
    type: 'session.status_idle',
    stop_reason: { type: 'requires_action', event_ids: ids },
  });
  const running = { type: 'session.status_running' };

  it('are pending with their own kind, wherever the idle splits them', () => {
    fc.assert(
      fc.property(calls, fc.nat(5), (ids, split) => {
        const events = ids.map(callOf);
        const situation = situationOf(
          stamped([running, ...events.slice(0, split), idle(ids), ...events.slice(split)]),
          true,
        );
        expect(situation.turn).toBe('requires_action');
        expect(Object.fromEntries(situation.pendingActions.map(({ toolUseId, kind }) => [toolUseId, kind]))).toEqual(
          Object.fromEntries(ids.map((id) => [id, isCustom(id) ? 'custom_tool_result' : 'tool_confirmation'])),
        );
      }),
      RUNS,
    );
  }, 120_000);

  it('are answered for good in any order, processed or queued, whatever later idles name', () => {
    const answers = fc.array(fc.record({ at: fc.nat(4), isQueued: fc.boolean(), isStale: fc.boolean() }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(calls, answers, (ids, given) => {
        const order = [...new Set(given.map(({ at }) => ids[at % ids.length]!))];
        const log: object[] = [running, ...ids.map(callOf), idle(ids)];
        const queued: object[] = [];
        for (const [index, id] of order.entries()) {
          const { isQueued, isStale } = given[index]!;
          if (isQueued) queued.push({ ...answerOf(id), processed_at: null });
          else log.push(running, answerOf(id));
          if (isStale) log.push(idle(ids));
        }
        const situation = situationOf(stamped([...log, ...queued]), true);
        const left = ids.filter((id) => !order.includes(id));
        expect(idsOf(situation).sort()).toEqual([...left].sort());
        if (left.length === 0) expect(['queued', 'running']).toContain(situation.turn);
      }),
      RUNS,
    );
  }, 120_000);
});
