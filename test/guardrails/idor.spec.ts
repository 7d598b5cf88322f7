/** Bob knows everything about Alice's session but is not Alice: what he overheard is worth nothing. */
import { FIXTURES } from '../simulator/index.js';
import { callTool, ERAS } from '../support/client.js';
import { type CallersHarness, startWithCallers, tokenOf } from '../support/callers.js';
import { call as rpc, send } from '../support/rpc.js';
import { auditLines } from '../support/stderr.js';
import { callsOf, type Overheard, SESSION_TOOLS } from './calls.js';

const CALLERS = { alice: {}, bob: {} };
const agent_id = FIXTURES.agents.deployer;
const environment_id = FIXTURES.environments.locked;
const UNKNOWN = { session_id: 'sesn_never_existed', since: undefined, tool_use_id: 'sevt_never_existed' };

let harness: CallersHarness<keyof typeof CALLERS>;
let foreign: Required<Overheard>;
let own: Required<Overheard>;

const call = (name: keyof typeof CALLERS, tool: string, args: object = {}) =>
  callTool(harness.clients[name], tool, args as Record<string, unknown>);

/** A session that waits for an approval, and what its owner knows of it. */
async function sessionOf(name: keyof typeof CALLERS): Promise<Required<Overheard>> {
  const { data } = await call(name, 'session_start', { agent_id, environment_id, message: 'Deploy' });
  const session_id = data.session_id as string;
  await harness.simulator.settle(session_id);
  const events = await call(name, 'session_events', { session_id });
  const situation = await call(name, 'session_get', { session_id });
  const [action] = situation.data.pending_actions as { tool_use_id: string }[];
  return { session_id, since: events.data.next_since as string, tool_use_id: action!.tool_use_id };
}

beforeAll(async () => {
  harness = await startWithCallers(CALLERS, { MCP_SESSION_ISOLATION: 'owner' });
  foreign = await sessionOf('alice');
  own = await sessionOf('bob');
});
afterAll(() => harness.close());

const logOf = (id: string) => JSON.stringify(harness.simulator.requests.filter(({ path }) => path.includes(id)));

describe.each(ERAS)('over %s', (_version, mode) => {
  it.each(SESSION_TOOLS)('%s: refused, audited with the rule, and told what an unknown id is told', async (tool) => {
    const bob = await harness.connect('bob', mode);
    const before = logOf(foreign.session_id);
    const unknown = callsOf(tool, { ...foreign, session_id: UNKNOWN.session_id });
    for (const [index, args] of callsOf(tool, foreign).entries()) {
      const answer = await bob.callTool({ name: tool, arguments: args as Record<string, unknown> });
      expect(auditLines().at(-1)).toMatchObject({
        audit: tool,
        outcome: 'refused',
        reason: 'session_isolation',
        principal: 'bob',
        session_id: foreign.session_id,
      });
      expect(answer.isError).toBe(true);
      expect(answer).toEqual(await bob.callTool({ name: tool, arguments: unknown[index] as Record<string, unknown> }));
      expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'unknown_session' });
    }
    // Alice's session was neither changed nor looked at: this process knew whose it is.
    expect(logOf(foreign.session_id)).toBe(before);
  });
});

it.each(SESSION_TOOLS)('%s: the same to the byte, apart from the time and the id of the request', async (tool) => {
  const raw = async (args: object) => {
    const body = rpc('tools/call', { name: tool, arguments: args });
    const headers = { authorization: `Bearer ${tokenOf('bob')}` };
    const { status, text, headers: all } = await send(harness.server.url, { body, headers });
    const { date: _date, 'x-request-id': _requestId, ...rest } = all;
    return { status, text, headers: rest };
  };
  const unknown = callsOf(tool, { ...foreign, session_id: UNKNOWN.session_id });
  for (const [index, args] of callsOf(tool, foreign).entries())
    expect(await raw(args)).toEqual(await raw(unknown[index]!));
});

it.each(['session_events', 'session_wait'])(
  '%s: the cursor of a foreign session is garbage on an own one',
  async (tool) => {
    const answer = await call('bob', tool, { session_id: own.session_id, since: foreign.since });
    const garbage = await call('bob', tool, { session_id: own.session_id, since: 'garbage' });
    expect(answer.isError).toBe(true);
    expect(auditLines().map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['invalid', 'cursor'],
      ['invalid', 'cursor'],
    ]);
    expect(garbage.isError).toBe(true);
  },
);

it('session_respond: a call of a foreign session is none of an own one', async () => {
  const ask = (tool_use_id: string) =>
    call('bob', 'session_respond', { session_id: own.session_id, tool_use_id, result: 'allow' });
  const [answer, unknown] = [await ask(foreign.tool_use_id), await ask(UNKNOWN.tool_use_id)];
  expect(answer.isError).toBe(true);
  expect(answer.text.replaceAll(foreign.tool_use_id, UNKNOWN.tool_use_id)).toBe(unknown.text);
});

it('lists: the page of somebody else is garbage, and nothing of hers is shown', async () => {
  await sessionOf('alice');
  const hers = (await call('alice', 'session_list', { limit: 1 })).data.next_page as string;
  expect(hers).toEqual(expect.any(String));
  const answer = await call('bob', 'session_list', { limit: 1, page: hers });
  expect(answer).toEqual(await call('bob', 'session_list', { limit: 1, page: 'garbage' }));
  expect(answer).toMatchObject({
    isError: true,
    text: expect.stringMatching(/not a next_page that this list gave you/),
  });
  expect(auditLines().at(-1)).toMatchObject({ outcome: 'failed', reason: 'invalid_page' });
  for (const tool of ['session_list', 'approval_list'])
    expect((await call('bob', tool)).text).not.toContain(foreign.session_id);
});

it('approval_list: the page of somebody else is garbage', async () => {
  const { next_page } = (await call('alice', 'approval_list', { limit: 1 })).data;
  expect(next_page).toEqual(expect.any(String));
  const answer = await call('bob', 'approval_list', { page: next_page });
  expect(answer).toEqual(await call('bob', 'approval_list', { page: 'garbage' }));
  expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(/page/) });
});

it('lists in filters: her agent may be asked for, and shows him what is his', async () => {
  const { data } = await call('bob', 'session_list', { agent_id });
  expect((data.sessions as { id: string }[]).map(({ id }) => id)).toEqual([own.session_id]);
});

it('leaves what was never hers to lose: her session still waits, and she can answer', async () => {
  const answer = await call('alice', 'session_respond', {
    session_id: foreign.session_id,
    tool_use_id: foreign.tool_use_id,
    result: 'deny',
  });
  expect(answer.isError).toBe(false);
});

it('after she deleted it, it is the same to him', async () => {
  const { data } = await call('alice', 'session_start', { agent_id, environment_id });
  const args = { session_id: data.session_id as string };
  const before = await call('bob', 'session_get', args);
  expect((await call('alice', 'session_delete', args)).isError).toBe(false);
  expect(await call('bob', 'session_get', args)).toEqual(before);
});
