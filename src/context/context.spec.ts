import { ROOT_CONTEXT } from '@opentelemetry/api';
import { setImmediate as turn } from 'node:timers/promises';
import {
  currentToolCall,
  endCall,
  endCallAsking,
  newToolCall,
  noteApproval,
  noteSessionStarted,
  requireToolCall,
  runToolCall,
  type ToolCall,
} from './call.js';
import { LOCAL_PRINCIPAL, principalId } from './principal.js';
import {
  currentRequest,
  currentRequestId,
  currentTrace,
  noteUpstreamRequestId,
  requestIdOf,
  runDetached,
  runInTrace,
  runRequest,
} from './request.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

function newCall(): ToolCall {
  const { signal } = new AbortController();
  return newToolCall({
    tool: 'session_get',
    isKnownTool: true,
    principal: LOCAL_PRINCIPAL,
    arguments: {},
    client: {},
    draining: signal,
    ended: signal,
  });
}

describe('a request', () => {
  it('is known in everything it awaits, and apart from others at the same time', async () => {
    const seen = await Promise.all(
      ['a', 'b'].map((requestId) =>
        runRequest({ requestId }, async () => {
          await turn();
          noteUpstreamRequestId(`req_${requestId}`);
          await turn();
          return currentRequest();
        }),
      ),
    );
    expect(seen).toEqual([
      { requestId: 'a', deadline: undefined, upstreamRequestIds: ['req_a'] },
      { requestId: 'b', deadline: undefined, upstreamRequestIds: ['req_b'] },
    ]);
    expect(currentRequest()).toBeUndefined();
  });

  it('takes over the deadline that an entry set around it', () => {
    runRequest({ deadline: 5 }, () =>
      runRequest({ requestId: 'a' }, () => {
        expect(currentRequest()).toMatchObject({ requestId: 'a', deadline: 5 });
        expect(newCall()).toMatchObject({ requestId: 'a', deadline: 5 });
      }),
    );
  });

  it('records a bounded number of ids of API requests, and none outside of a request', () => {
    noteUpstreamRequestId('req_outside');
    runRequest({}, () => {
      for (let n = 0; n < 30; n++) noteUpstreamRequestId(`req_${n}`);
      noteUpstreamRequestId(null);
      expect(currentRequest()?.upstreamRequestIds).toEqual(Array.from({ length: 20 }, (_, n) => `req_${n}`));
    });
  });

  it('has the id it was given when that is short and plain, and otherwise a new one', () => {
    expect(requestIdOf('edge-42.a:b')).toBe('edge-42.a:b');
    for (const header of [undefined, '', 'two words', 'x'.repeat(129), ['a', 'b']]) {
      expect(requestIdOf(header)).toMatch(UUID);
    }
    expect(currentRequestId()).toMatch(UUID);
    expect(runRequest({ requestId: 'a' }, currentRequestId)).toBe('a');
  });
});

describe('work that is detached', () => {
  it('belongs to no request, call or trace, also after it was awaited', async () => {
    const inside = await runToolCall(newCall(), () =>
      runInTrace(ROOT_CONTEXT, () =>
        runDetached(async () => {
          await turn();
          return [currentRequest(), currentToolCall(), currentTrace()];
        }),
      ),
    );
    expect(inside).toEqual([undefined, undefined, undefined]);
  });
});

describe('a trace', () => {
  it('surrounds a request and a call, and leaves them as they are', async () => {
    const call = newCall();
    await runInTrace(ROOT_CONTEXT, () =>
      runToolCall(call, async () => {
        await turn();
        expect(currentTrace()).toBe(ROOT_CONTEXT);
        const other = ROOT_CONTEXT.setValue(Symbol('key'), 1);
        runInTrace(other, () => {
          expect(currentTrace()).toBe(other);
          expect(requireToolCall()).toBe(call);
          expect(currentRequest()).toBe(call);
        });
        expect(runRequest({}, currentTrace)).toBe(ROOT_CONTEXT);
      }),
    );
  });
});

describe('a tool call', () => {
  it('is required where tools run, and unknown outside', async () => {
    const call = newCall();
    expect(currentToolCall()).toBeUndefined();
    expect(requireToolCall).toThrow('not within a tool call');
    expect(await runToolCall(call, () => Promise.resolve(requireToolCall()))).toBe(call);
    // A request that is not a tool call has none, even within one.
    await runToolCall(call, () => Promise.resolve(runRequest({}, () => expect(currentToolCall()).toBeUndefined())));
  });

  it('collects the ids of its own API requests', async () => {
    const call = newCall();
    await runRequest({}, async () => {
      await runToolCall(call, () => Promise.resolve(noteUpstreamRequestId('req_1')));
      expect(currentRequest()?.upstreamRequestIds).toEqual([]);
    });
    expect(call.upstreamRequestIds).toEqual(['req_1']);
  });

  it('ended well unless something else was recorded', async () => {
    const call = newCall();
    await runToolCall(call, () => Promise.resolve());
    expect(call).toMatchObject({ outcome: 'ok' });
    expect(call.reason).toBeUndefined();
  });

  it('ended as the last endCall says, outcome and reason together', async () => {
    const call = newCall();
    await runToolCall(call, () => {
      endCall('refused', 'role');
      return Promise.resolve();
    });
    expect(call).toMatchObject({ outcome: 'refused', reason: 'role' });
    await runToolCall(call, () => Promise.resolve(endCall('failed')));
    expect([call.outcome, call.reason]).toEqual(['failed', undefined]);
  });

  it('failed when it throws, unless it was ended before', async () => {
    const fail = (before: () => void) => {
      before();
      return Promise.reject(new Error('broken'));
    };
    const [plain, ended] = [newCall(), newCall()];
    await expect(runToolCall(plain, () => fail(() => undefined))).rejects.toThrow('broken');
    await expect(runToolCall(ended, () => fail(() => endCall('unknown_tool')))).rejects.toThrow('broken');
    expect([plain.outcome, ended.outcome]).toEqual(['failed', 'unknown_tool']);
  });

  it('cannot be ended from outside of it', () => {
    const call = newCall();
    endCall('failed', 'internal');
    expect(call.outcome).toBe('ok');
  });

  it('keeps the answers it brought when it asks the next question', async () => {
    const call = newCall();
    await runToolCall(call, () => {
      noteApproval('human', ['toolu_1', 'toolu_2'], new Map([['toolu_1', { type: 'deny' as const }]]));
      endCallAsking(['toolu_3']);
      return Promise.resolve();
    });
    expect(call).toMatchObject({
      outcome: 'asked',
      approval: {
        channel: 'human',
        toolUseIds: ['toolu_1', 'toolu_2', 'toolu_3'],
        decisions: { toolu_1: 'deny' },
      },
    });
  });

  it('records the session it created', async () => {
    const call = newCall();
    await runToolCall(call, () => Promise.resolve(noteSessionStarted('sesn_1', 2)));
    expect(call).toMatchObject({ createdSessionId: 'sesn_1', budgetUsd: 2 });
  });
});

describe('the id of a principal', () => {
  const named = (issuer: string, subject: string) => ({ ...LOCAL_PRINCIPAL, issuer, subject });

  it('keeps the bytes that are stored in Redis, session metadata and page cursors', () => {
    expect(principalId(named('https://idp.example', 'alice'))).toBe('["https://idp.example","alice"]');
    expect(principalId(named('https://idp.example', 'alice'), 'agent')).toBe('["agent","https://idp.example","alice"]');
  });

  it('is never the same for two principals', () => {
    const ids = [
      principalId(named('a', 'b","c')),
      principalId(named('a","b', 'c')),
      principalId(named('a', 'b')),
      principalId(named('b', 'c'), 'a'),
      principalId(named('', 'a')),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
