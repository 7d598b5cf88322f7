import { type LogEvent } from '../../src/managed-agents/log/event.js';
import { type Situation, situationOf, type Turn } from '../../src/managed-agents/log/situation.js';
import { recording } from '../support/recordings.js';

interface Recording {
  readonly listed?: readonly Partial<LogEvent>[];
  readonly exchanges?: readonly { readonly response: { readonly body?: unknown; readonly events?: LogEvent[] } }[];
}

function recorded(name: Parameters<typeof recording>[0]): LogEvent[] {
  const { listed, exchanges } = recording<Recording>(name);
  const events = listed ?? exchanges?.at(-1)?.response.events ?? [];
  return events.map((event, index) => ({ id: `sevt_${index}`, type: '', ...event }));
}

/** The situation right after each event, of a log that grows event by event. */
function situations(log: readonly LogEvent[]): Situation[] {
  return log.map((_, index) => situationOf(log.slice(0, index + 1), true));
}

/** The turns a log goes through, each with the type of the event that began it. */
function course(log: readonly LogEvent[]): [string, Turn][] {
  const turns = situations(log).map(({ turn }) => turn);
  return turns.flatMap((turn, i) => (turn === turns[i - 1] ? [] : [[log[i]?.type ?? '', turn] as [string, Turn]]));
}

describe('the recordings', () => {
  it('a turn with a tool', () => {
    const log = recorded('turn-with-tool');
    expect(course(log)).toEqual([
      ['session.status_running', 'running'],
      ['session.status_idle', 'over'],
    ]);
    expect(situations(log).flatMap(({ pendingActions }) => pendingActions)).toEqual([]);
    expect(situationOf(log, true)).toMatchObject({
      status: 'idle',
      stopReason: { type: 'end_turn' },
      failed: false,
      queuedInputs: 0,
      usage: { input_tokens: 4358 },
    });
  });

  it('a message sent and not taken up yet', () => {
    const log = recorded('turn-with-tool');
    const sent = { id: log[2]?.id ?? '', type: 'user.message' };
    expect(situationOf([sent], true)).toMatchObject({ status: undefined, turn: 'queued', queuedInputs: 1 });
    expect(situationOf([sent, ...log], true)).toMatchObject({ turn: 'over', queuedInputs: 0 });
  });

  it('an approval that was denied', () => {
    const log = recorded('approval-denied');
    expect(course(log)).toEqual([
      ['session.status_running', 'running'],
      ['session.status_idle', 'requires_action'],
      ['user.tool_confirmation', 'queued'],
      ['session.status_running', 'running'],
      ['session.status_idle', 'over'],
    ]);
    const waiting = situations(log).map(({ pendingActions }) => pendingActions.map(({ toolUseId }) => toolUseId));
    const from = log.findIndex(({ type }) => type === 'agent.tool_use');
    const until = log.findIndex(({ type }) => type === 'user.tool_confirmation');
    expect(waiting).toEqual(log.map((_, index) => (index >= from && index < until ? ['TOOL_USE'] : [])));
    expect(situations(log)[until - 1]?.pendingActions).toMatchObject([{ kind: 'tool_confirmation', tool: 'bash' }]);
    expect(situationOf(log, true).failed).toBe(false);
  });

  it('an approval that was denied, the answer still in the queue', () => {
    const log = recorded('approval-denied');
    const until = log.findIndex(({ type }) => type === 'user.tool_confirmation');
    const answer = { ...log[until], processed_at: null } as LogEvent;
    expect(situationOf([answer, ...log.slice(0, until)], true)).toMatchObject({ turn: 'queued', pendingActions: [] });
  });

  it('a message while running is part of the turn', () => {
    const log = recorded('message-while-running');
    expect(course(log)).toEqual([
      ['session.status_running', 'running'],
      ['session.status_idle', 'over'],
    ]);
    const second = log.findLastIndex(({ type }) => type === 'user.message');
    const waiting = { ...log[second], processed_at: null } as LogEvent;
    expect(situationOf([...log.slice(0, second), waiting], true)).toMatchObject({ turn: 'running', queuedInputs: 1 });
  });
});
