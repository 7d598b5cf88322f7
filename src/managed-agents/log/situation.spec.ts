import fc from 'fast-check';
import { type LogEvent } from './event.js';
import { type PendingAction, type Situation, situationOf, type Turn } from './situation.js';

let created = 0;

/** An event stamped a second after the one written before it. */
function event(type: string, fields: Record<string, unknown> = {}): LogEvent {
  created += 1;
  const stamp = new Date(Date.UTC(2026, 7, 17) + created * 1000).toISOString();
  return { id: `sevt_${created}`, type, processed_at: stamp, ...fields };
}

const queued = (type: string, fields: Record<string, unknown> = {}): LogEvent =>
  event(type, { processed_at: null, ...fields });
const running = (): LogEvent => event('session.status_running');
const idle = (stop: unknown = { type: 'end_turn' }, fields: Record<string, unknown> = {}): LogEvent =>
  event('session.status_idle', { stop_reason: stop, stop_details: null, ...fields });
const blocked = (...ids: string[]): LogEvent => idle({ type: 'requires_action', event_ids: ids });
const message = (): LogEvent => event('user.message');
const answer = (): LogEvent => event('agent.message');
const ask = (id: string, fields: Record<string, unknown> = {}): LogEvent =>
  event('agent.tool_use', { id, name: 'bash', input: { command: 'ls' }, evaluated_permission: 'ask', ...fields });
const confirm = (id: string, fields: Record<string, unknown> = {}): LogEvent =>
  event('user.tool_confirmation', { tool_use_id: id, result: 'allow', ...fields });
const result = (id: string): LogEvent => event('agent.tool_result', { tool_use_id: id });
const error = (retry: string, fields: Record<string, unknown> = {}): LogEvent =>
  event('session.error', {
    error: { type: 'model_overloaded_error', message: 'Overloaded', retry_status: { type: retry }, ...fields },
  });

const whole = (...log: LogEvent[]): Situation => situationOf(log, true);
const pendingIds = ({ pendingActions }: Situation): string[] => pendingActions.map(({ toolUseId }) => toolUseId);

describe('the turn', () => {
  it.each<[string, Turn, LogEvent[]]>([
    ['an empty log', 'not_started', []],
    ['a fresh session that says it is idle', 'not_started', [event('session.status_idle')]],
    ['an error before anything was asked', 'not_started', [error('exhausted')]],
    ['an interrupt of a fresh session', 'not_started', [queued('user.interrupt')]],
    ['a first message in the queue', 'queued', [queued('user.message')]],
    ['a first message without a stamp', 'queued', [event('user.message', { processed_at: undefined })]],
    ['a first outcome, stamped on receipt', 'queued', [event('user.define_outcome')]],
    ['a running session', 'running', [running(), message()]],
    ['output whose status was not listed', 'running', [message(), answer()]],
    ['a retry', 'running', [running(), message(), error('retrying'), event('session.status_rescheduled')]],
    ['a message sent while running', 'running', [running(), message(), queued('user.message')]],
    ['an ended turn', 'over', [running(), message(), answer(), idle()]],
    ['an idle event alone', 'over', [idle()]],
    ['a refusal', 'over', [running(), message(), idle({ type: 'refusal' })]],
    ['retries that ran out', 'over', [running(), message(), idle({ type: 'retries_exhausted' })]],
    ['a stop reason of the future', 'over', [running(), message(), idle({ type: 'out_of_paper' })]],
    ['no stop reason', 'over', [running(), message(), event('session.status_idle')]],
    ['a stop reason that is no object', 'over', [running(), message(), idle('end_turn')]],
    ['a call that waits', 'requires_action', [running(), ask('a'), blocked('a')]],
    ['a call that waits, and no ids', 'requires_action', [running(), idle({ type: 'requires_action' })]],
    ['a budget that is used up', 'budget_reached', [running(), answer(), idle({ type: 'budget_reached' })]],
    [
      'an answer while paused',
      'budget_reached',
      [running(), idle({ type: 'budget_reached' }), queued('user.tool_confirmation')],
    ],
    [
      'a budget that was raised while paused',
      'queued',
      [running(), idle({ type: 'budget_reached' }), event('session.updated', { budget: { type: 'limit' } })],
    ],
    [
      'a title that changed while paused',
      'budget_reached',
      [running(), idle({ type: 'budget_reached' }), event('session.updated', { title: 'x' })],
    ],
    ['a message after the turn', 'queued', [running(), answer(), idle(), queued('user.message')]],
    ['a message that was never stamped', 'over', [queued('user.message'), running(), answer(), idle()]],
    [
      'an outcome after the turn, stamped on receipt',
      'queued',
      [running(), answer(), idle(), event('user.define_outcome')],
    ],
    ['an interrupt after the turn', 'over', [running(), answer(), idle(), queued('user.interrupt')]],
    ['a second result for a finished call', 'over', [running(), idle(), event('user.custom_tool_result')]],
    ['an unknown status', 'over', [running(), answer(), idle(), event('session.status_dreaming')]],
    ['the status of a thread', 'over', [running(), answer(), idle(), event('session.thread_status_running')]],
    ['an archived session', 'terminated', [running(), answer(), idle(), event('session.status_terminated')]],
  ])('of %s is %s', (_, turn, log) => {
    expect(whole(...log)).toMatchObject({ turn, complete: true });
  });

  it('is over when a message listed after the idle is stamped before it: it was part of the turn', () => {
    const sent = message();
    expect(whole(running(), answer(), idle(), sent).turn).toBe('over');
  });

  it('takes an event that shows up queued and processed for processed', () => {
    const sent = queued('user.message', { id: 'sevt_sent' });
    const taken = event('user.message', { id: 'sevt_sent' });
    const log = [running(), taken, answer(), idle()];
    expect(whole(sent, ...log)).toMatchObject({ turn: 'over', queuedInputs: 0 });
    expect(whole(...log, sent)).toMatchObject({ turn: 'over', queuedInputs: 0 });
  });

  it('is not changed by a status event that the list repeats', () => {
    const started = running();
    expect(whole(started, answer(), idle(), started).turn).toBe('over');
  });

  it('counts the inputs that wait, but no interrupts', () => {
    const waiting = [queued('user.message'), queued('system.message'), queued('user.interrupt', { id: '' })];
    expect(whole(running(), ...waiting).queuedInputs).toBe(2);
  });
});

describe('the status', () => {
  it.each([
    ['session.status_running', 'running'],
    ['session.status_rescheduled', 'rescheduling'],
    ['session.status_terminated', 'terminated'],
    ['session.status_idle', 'idle'],
    ['session.status_dreaming', undefined],
    ['constructor', undefined],
  ])('after %s is %s', (type, status) => {
    expect(whole(event(type)).status).toBe(status);
  });

  it("follows the log's order, not the stamps", () => {
    const [first, second] = [idle(), running()];
    expect(whole(second, first).status).toBe('idle');
  });
});

describe('the stop reason', () => {
  it('is passed through as it was sent, with the details', () => {
    const stop = { type: 'out_of_paper', tray: 2 };
    const situation = whole(running(), idle(stop, { stop_details: { type: 'paper', explanation: null } }));
    expect(situation.stopReason).toBe(stop);
    expect(situation.stopDetails).toEqual({ type: 'paper', explanation: null });
  });

  it('is gone as soon as another status follows', () => {
    expect(whole(running(), idle(), running()).stopReason).toBeUndefined();
    expect(whole(running(), idle(), event('session.status_terminated')).stopReason).toBeUndefined();
  });
});

describe('pending actions', () => {
  it('of an idle session are the calls it names', () => {
    const call = ask('a', { type: 'agent.mcp_tool_use', mcp_server_name: 'github', session_thread_id: 'sthr_2' });
    expect(whole(running(), call, blocked('a')).pendingActions).toEqual<PendingAction[]>([
      {
        toolUseId: 'a',
        kind: 'tool_confirmation',
        tool: 'bash',
        mcpServer: 'github',
        input: { command: 'ls' },
        sessionThreadId: 'sthr_2',
        since: String(call.processed_at),
      },
    ]);
  });

  it.each<[PendingAction['kind'], string, LogEvent]>([
    ['tool_confirmation', 'a tool that asks', ask('a')],
    ['tool_confirmation', 'an MCP tool that asks', ask('a', { type: 'agent.mcp_tool_use' })],
    [
      'custom_tool_result',
      'a custom tool',
      ask('a', { type: 'agent.custom_tool_use', evaluated_permission: undefined }),
    ],
    ['tool_result', 'a tool that may run at the client', ask('a', { evaluated_permission: 'allow' })],
    ['tool_confirmation', 'a tool without a permission', ask('a', { evaluated_permission: undefined })],
    ['unknown', 'a call of an unknown type', ask('a', { type: 'agent.dream_use' })],
    ['unknown', 'a call that is not in the log', ask('b')],
  ])('need a %s for %s', (kind, _, call) => {
    expect(whole(running(), call, blocked('a')).pendingActions).toMatchObject([{ toolUseId: 'a', kind }]);
  });

  it('need a result for an allowed call that a self-hosted session still waits for', () => {
    const again = event('session.thread_status_idle', {
      stop_reason: { type: 'requires_action', event_ids: ['a'] },
    });
    const situation = whole(running(), ask('a'), blocked('a'), confirm('a'), running(), again, blocked('a'));
    expect(situation.pendingActions).toMatchObject([{ toolUseId: 'a', kind: 'tool_result' }]);
  });

  it.each<[string, LogEvent[], string[], Turn]>([
    ['a confirmation', [confirm('a')], ['b'], 'requires_action'],
    ['a queued confirmation', [queued('user.tool_confirmation', { tool_use_id: 'a' })], ['b'], 'requires_action'],
    ['a custom result', [event('user.custom_tool_result', { custom_tool_use_id: 'a' })], ['b'], 'requires_action'],
    ["a worker's result", [event('user.tool_result', { tool_use_id: 'a' })], ['b'], 'requires_action'],
    ['a result', [result('a')], ['b'], 'requires_action'],
    ['an MCP result', [event('agent.mcp_tool_result', { mcp_tool_use_id: 'a' })], ['b'], 'requires_action'],
    [
      'the end of its thread',
      [event('session.thread_status_terminated', { session_thread_id: 'sthr_a' })],
      ['b'],
      'requires_action',
    ],
    [
      "an interrupt of the call's thread",
      [queued('user.interrupt', { session_thread_id: 'sthr_a' })],
      ['b'],
      'requires_action',
    ],
    ['an interrupt', [queued('user.interrupt')], [], 'queued'],
    ['all answers', [confirm('a'), confirm('b', { processed_at: null })], [], 'queued'],
    ['an answer to something else', [confirm('c')], ['a', 'b'], 'requires_action'],
    ['an answer without an id', [event('user.tool_confirmation')], ['a', 'b'], 'requires_action'],
  ])('lose what %s settles', (_, after, left, turn) => {
    const calls = [ask('a', { session_thread_id: 'sthr_a' }), ask('b')];
    const situation = whole(running(), ...calls, blocked('a', 'b'), ...after);
    expect([pendingIds(situation), situation.turn]).toEqual([left, turn]);
  });

  it('are what the newest idle still names after some were answered', () => {
    const calls = [running(), ask('a'), ask('b'), blocked('a', 'b'), confirm('a')];
    expect(pendingIds(whole(...calls, blocked('b')))).toEqual(['b']);
  });

  it.each([
    ['allowed', ask('a'), confirm('a')],
    ['denied', ask('a'), confirm('a', { result: 'deny' })],
    [
      'answered with a result',
      ask('a', { type: 'agent.custom_tool_use' }),
      event('user.custom_tool_result', { custom_tool_use_id: 'a' }),
    ],
  ])('leave out a call that was %s, though a later idle names it', (_, call, settled) => {
    const situation = whole(running(), call, blocked('a'), running(), settled, blocked('a'));
    expect([pendingIds(situation), situation.turn]).toEqual([[], 'queued']);
    expect(pendingIds(whole(running(), call, ask('b'), blocked('a', 'b'), settled, blocked('a', 'b')))).toEqual(['b']);
  });

  it('leave out a call whose result a late stamp put before it', () => {
    expect(pendingIds(whole(running(), result('a'), ask('a'), blocked('a', 'b'), ask('b')))).toEqual(['b']);
  });

  it.each<[string, string[], LogEvent[]]>([
    ['a call that asks', ['a'], [running(), ask('a')]],
    ['a custom tool', ['a'], [running(), ask('a', { type: 'agent.custom_tool_use' })]],
    ['a call of a subagent', ['a'], [running(), ask('a', { session_thread_id: 'sthr_2' }), answer()]],
    [
      'a call left over from the last pause',
      ['b'],
      [running(), ask('a'), ask('b'), blocked('a', 'b'), confirm('a'), running()],
    ],
    ['no call that may run', [], [running(), ask('a', { evaluated_permission: 'allow' })]],
    ['no call that was denied', [], [running(), ask('a', { evaluated_permission: 'deny' })]],
    ['no call that was answered', [], [running(), ask('a'), blocked('a'), confirm('a'), running()]],
    ['no call that has a result', [], [running(), ask('a'), result('a')]],
    ['no call of an ended turn', [], [running(), ask('a'), idle(), running(), message()]],
    ['no call that was interrupted', [], [running(), ask('a'), event('user.interrupt'), answer()]],
    [
      'no call of a thread that ended its turn',
      ['b'],
      [
        running(),
        ask('a', { session_thread_id: 'sthr_2' }),
        ask('b'),
        event('session.thread_status_idle', { session_thread_id: 'sthr_2', stop_reason: { type: 'end_turn' } }),
      ],
    ],
    [
      'a call of a thread that waits',
      ['a'],
      [
        running(),
        ask('a', { session_thread_id: 'sthr_2' }),
        event('session.thread_status_idle', { session_thread_id: 'sthr_2', stop_reason: { type: 'requires_action' } }),
      ],
    ],
  ])('of a running session are %s', (_, ids, log) => {
    expect(pendingIds(whole(...log))).toEqual(ids);
  });

  it('end with the turn, also when a call is listed after its end', () => {
    expect(pendingIds(whole(running(), idle(), ask('a')))).toEqual([]);
  });

  it('end with the session', () => {
    expect(pendingIds(whole(running(), ask('a'), blocked('a'), event('session.status_terminated')))).toEqual([]);
  });
});

describe('failure', () => {
  it.each<[string, boolean, LogEvent[]]>([
    ['no error', false, [running(), answer(), idle()]],
    ['an error in the turn', true, [running(), error('exhausted'), idle()]],
    ['an error in the turn, with output after it', false, [running(), error('exhausted'), answer(), idle()]],
    ['an error listed after the idle', true, [running(), idle(), error('terminal')]],
    ['an error of the turn before', false, [running(), error('exhausted'), idle(), running(), answer(), idle()]],
    [
      'an error before a pause in the turn',
      false,
      [running(), error('exhausted'), ask('a'), blocked('a'), running(), idle()],
    ],
    [
      'an error of the turn before, listed after its idle',
      false,
      [running(), idle(), error('terminal'), running(), idle()],
    ],
    ['a stop reason that is an error', true, [running(), answer(), idle({ type: 'internal_error' })]],
    ['a retry that succeeded', false, [running(), error('retrying'), answer(), idle()]],
    ['a retry whose request succeeded', false, [running(), error('retrying'), event('span.model_request_end'), idle()]],
    [
      'a retry that did not',
      true,
      [running(), error('retrying'), event('span.model_request_end', { is_error: true }), idle()],
    ],
    ['a retry that succeeded, and another', true, [running(), error('retrying'), answer(), error('retrying'), idle()]],
    ['retries that ran out', true, [running(), answer(), idle({ type: 'retries_exhausted' })]],
    ['an error without a body', true, [running(), event('session.error'), idle()]],
    ['an unrecoverable error', true, [running(), error('terminal'), event('session.status_terminated')]],
    ['an archived session', false, [running(), error('terminal'), idle(), event('session.status_terminated')]],
    ['an error while running', false, [running(), error('exhausted')]],
    ['an error before a call that waits', false, [running(), error('exhausted'), ask('a'), blocked('a')]],
    ['a message after a failed turn', false, [running(), error('exhausted'), idle(), queued('user.message')]],
  ])('with %s is %s', (_, failed, log) => {
    expect(whole(...log).failed).toBe(failed);
  });

  it('carries the newest error, with all it was sent with', () => {
    const log = [
      running(),
      error('exhausted'),
      error('terminal', { message: 'Not found', repository_url: 'u' }),
      idle(),
    ];
    expect(whole(...log).error).toEqual({
      type: 'model_overloaded_error',
      message: 'Not found',
      retryStatus: 'terminal',
      repository_url: 'u',
    });
  });

  it('keeps an error as a warning when the turn went on in spite of it', () => {
    const refused = { type: 'mcp_authentication_failed_error', message: 'Refused', mcp_server_name: 'github' };
    const situation = whole(running(), error('exhausted', refused), message(), answer(), idle());
    expect(situation).toMatchObject({ turn: 'over', failed: false, error: undefined, warnings: [refused] });
    expect(whole(running(), error('retrying'), answer(), idle()).warnings).toBeUndefined();
  });

  it('names an error that came without a name', () => {
    expect(whole(running(), event('session.error', { error: 'boom' }), idle()).error).toEqual({
      type: 'unknown_error',
      message: '',
    });
  });

  it('is not carried over to the turn that a queued message is about to start', () => {
    expect(whole(running(), error('exhausted'), idle(), queued('user.message')).error).toBeUndefined();
  });

  it('shows the error that a running session is retrying', () => {
    expect(whole(running(), error('retrying'), event('session.status_rescheduled')).error?.retryStatus).toBe(
      'retrying',
    );
  });

  it('shows the error that the retries ran out on, though the model answered after an earlier one', () => {
    const log = [running(), error('retrying'), answer(), idle({ type: 'retries_exhausted' })];
    expect(whole(...log).error?.retryStatus).toBe('retrying');
  });
});

describe('usage', () => {
  it('is that of the newest session.usage', () => {
    const budget = { type: 'limit', max_list_cost: { amount: '2500', currency: 'USD' } };
    const first = event('session.usage', { usage: { input_tokens: 1 } });
    const second = event('session.usage', { usage: { input_tokens: 2 }, budget });
    expect(whole(running(), first, second, idle())).toMatchObject({ usage: { input_tokens: 2 }, budget });
  });
});

describe('a tail that does not reach the start', () => {
  const tail = (...log: LogEvent[]): boolean => situationOf(log, false).complete;

  it.each<[string, boolean, LogEvent[]]>([
    ['no status', false, [answer()]],
    ['an ended turn, but not its beginning', false, [answer(), idle()]],
    ['an ended turn and the end of the one before', true, [idle(), running(), answer(), idle()]],
    ['an ended turn and the error that failed it', false, [error('exhausted'), idle()]],
    ['an ended turn and an error it recovered from', false, [error('retrying'), answer(), idle()]],
    ['a running turn, but not its beginning', false, [running(), answer()]],
    ['a running turn and the end of the one before', true, [idle(), running(), answer()]],
    ['a pause, but not the call it names', false, [idle(), running(), blocked('a')]],
    ['a pause and the call it names', true, [idle(), running(), ask('a'), blocked('a')]],
    ['an idle after a pause', false, [blocked('a'), confirm('a'), running(), idle()]],
  ])('and holds %s: complete is %s', (_, complete, log) => {
    expect(tail(...log)).toBe(complete);
  });
});

describe('situationOf', () => {
  it('never throws, whatever the events carry', () => {
    const types = [
      'session.status_idle',
      'session.error',
      'agent.tool_use',
      'user.tool_confirmation',
      'user.interrupt',
      'x',
    ];
    const fields = [
      'id',
      'type',
      'processed_at',
      'stop_reason',
      'event_ids',
      'error',
      'tool_use_id',
      'session_thread_id',
    ];
    const junk = fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.constant('requires_action'), event_ids: fc.jsonValue() }),
    );
    const junkEvent = fc
      .tuple(fc.constantFrom(...types), fc.dictionary(fc.constantFrom(...fields), junk))
      .map(([type, carried]) => ({ type, ...carried }) as unknown as LogEvent);
    fc.assert(
      fc.property(fc.array(junkEvent, { maxLength: 12 }), fc.boolean(), (log, reachesStart) => {
        expect(() => situationOf(log, reachesStart)).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  }, 30_000);
});
