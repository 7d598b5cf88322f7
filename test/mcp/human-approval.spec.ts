import { type Client } from '@modelcontextprotocol/client';
import { ask, customTool, FIXTURES, say, Simulator } from '../simulator/index.js';
import { answersSent, sendDirectly, startWaiting, type WaitingSession } from '../support/calls.js';
import { callTool, connectHttp, connectStdio, ERAS, MODERN } from '../support/client.js';
import { ALLOW, DENY, type Filled, type Form, Person } from '../support/person.js';
import { callAtForms, type RawAnswer } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { auditLines } from '../support/stderr.js';

const { deployer, support, analyst } = FIXTURES.agents;
const SECRET = 'a-secret-that-all-replicas-share-0123456789';
const HUMAN = { MCP_APPROVAL_MODE: 'human', MCP_APPROVAL_SECRET: SECRET };

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await simulator.close();
});

const sent = ({ session_id }: WaitingSession) => answersSent(simulator, session_id);

interface Place {
  readonly client: Client;
  close(): Promise<void>;
}

/** A person at a client, over each way on which a server can ask. */
const PLACES: readonly (readonly [
  name: string,
  at: (person: Person, env: Record<string, string>) => Promise<Place>,
  mode: (typeof ERAS)[number][1],
])[] = [
  [
    'HTTP, 2026-07-28',
    async ({ client }, env) => {
      const server = await startServer(serverEnv(simulator.url, env));
      await connectHttp(server.url, MODERN, undefined, client);
      return { client, close: () => client.close().then(() => server.close()) };
    },
    MODERN,
  ],
  ...ERAS.map(
    ([era, mode]) =>
      [
        `stdio, ${era}`,
        async ({ client }: Person, env: Record<string, string>) => {
          await connectStdio(serverEnv(simulator.url, env), mode, client);
          return { client, close: () => client.close() };
        },
        mode,
      ] as const,
  ),
];

describe.each(PLACES)('the person at a client over %s', (_name, at, mode) => {
  let place: Place;
  let person: Person;
  afterEach(() => place.close());

  async function sitDown(
    fill: (form: Form, index: number) => Filled,
    agent: string = deployer,
  ): Promise<WaitingSession> {
    person = new Person(mode, fill);
    place = await at(person, HUMAN);
    return startWaiting(place.client, simulator, agent);
  }
  const respond = (session: WaitingSession, args: Record<string, unknown>) =>
    callTool(place.client, 'session_respond', { session_id: session.session_id, ...args });

  it('sees what is asked, and allows', async () => {
    const session = await sitDown(() => ALLOW);
    const { data } = await respond(session, { tool_use_id: session.calls[0], result: 'allow' });
    expect(person.forms).toHaveLength(1);
    expect(person.forms[0]!.message).toContain('Tool: bash\nInput:\n{"command":"make build"}');
    expect(person.forms[0]!.requestedSchema).toMatchObject({
      properties: { decision: { enum: ['allow', 'deny'] }, reason: { type: 'string' } },
      required: ['decision'],
    });
    expect(data).toEqual({
      ok: true,
      session_id: session.session_id,
      decided_by: 'human',
      decisions: { [session.calls[0]!]: 'allow' },
      tool_use_ids: [session.calls[0]],
      still_pending: [session.calls[1]],
      next_since: expect.any(String),
      next_step: expect.any(String),
    });
    expect(sent(session)).toEqual([{ type: 'user.tool_confirmation', tool_use_id: session.calls[0], result: 'allow' }]);
  });

  it('decides otherwise than the model proposed, each call on its own, with a reason', async () => {
    const session = await sitDown(({ message }) => (message.includes('make build') ? ALLOW : DENY));
    const { data } = await respond(session, { tool_use_ids: session.calls, result: 'allow' });
    const [build, ship] = session.calls;
    expect(data).toMatchObject({ decisions: { [build!]: 'allow', [ship!]: 'deny' }, tool_use_ids: session.calls });
    expect(sent(session)).toEqual([
      { type: 'user.tool_confirmation', tool_use_id: build, result: 'allow' },
      { type: 'user.tool_confirmation', tool_use_id: ship, result: 'deny', deny_message: 'Not on a Friday.' },
    ]);
  });

  it.each([
    [{ action: 'decline' }, 'declined'],
    [{ action: 'cancel' }, 'cancelled'],
  ] as const)('decides nothing by %j, and nothing is sent', async (filled, why) => {
    const session = await sitDown(() => filled);
    const { data } = await respond(session, { tool_use_id: session.calls[0], result: 'allow' });
    expect(data).toEqual({
      ok: false,
      session_id: session.session_id,
      decided_by: 'human',
      tool_use_ids: [],
      not_sent: [{ tool_use_id: session.calls[0], why }],
      next_step: expect.stringContaining('nothing was sent; the calls are still pending'),
    });
    expect(sent(session)).toEqual([]);
  });

  it('looks over the result of a custom tool before it is sent', async () => {
    const decisions = ['send', 'dont_send'];
    const session = await sitDown(
      (_form, index) => ({ action: 'accept', content: { decision: decisions[index]! } }),
      support,
    );
    const custom_result = { text: 'shipped on Monday' };
    const { data } = await respond(session, { tool_use_id: session.calls[0], custom_result });
    expect(person.forms[0]!.message).toContain('Tool: lookup_order');
    expect(person.forms[0]!.message).toContain('Proposed result:\nshipped on Monday');
    expect(data).toMatchObject({ ok: true, decisions: { [session.calls[0]!]: 'custom_result' } });
    expect(sent(session)).toEqual([
      expect.objectContaining({ content: [{ type: 'text', text: 'shipped on Monday' }] }),
    ]);

    const other = await startWaiting(place.client, simulator, support);
    const kept = await respond(other, { tool_use_id: other.calls[0], custom_result });
    expect(kept.data).toMatchObject({ ok: false, not_sent: [{ tool_use_id: other.calls[0], why: 'not_sent' }] });
    expect(sent(other)).toEqual([]);
  });
});

describe('a client that cannot be asked', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer(serverEnv(simulator.url, HUMAN));
  });
  afterEach(() => server.close());

  const REFUSAL = /^On this server only a person may answer tool calls \(MCP_APPROVAL_MODE=human\)/;

  it.each([
    ['declares nothing, 2026-07-28', MODERN, undefined],
    ['declares nothing, 2025-11-25', 'legacy', undefined],
    ['declares forms, but over stateless HTTP of 2025-11-25', 'legacy', () => ALLOW],
  ] as const)('cannot answer: it %s', async (_name, mode, fill) => {
    const person = fill && new Person(mode, fill);
    const client = await connectHttp(server.url, mode, undefined, person?.client);
    const session = await startWaiting(client, simulator, deployer);
    for (const result of ['allow', 'deny']) {
      const { isError, text } = await callTool(client, 'session_respond', {
        session_id: session.session_id,
        tool_use_id: session.calls[0],
        result,
      });
      expect(isError).toBe(true);
      expect(text).toMatch(REFUSAL);
      expect(text).not.toMatch(/https?:/);
    }
    expect(sent(session)).toEqual([]);
    expect(auditLines().at(-1)).toMatchObject({ outcome: 'refused', reason: 'human_approval' });
    await client.close();
  });

  it.each(ERAS)('cannot answer over stdio either without forms (%s)', async (_era, mode) => {
    const { client } = await connectStdio(serverEnv(simulator.url, HUMAN), mode);
    const session = await startWaiting(client, simulator, deployer);
    const args = { session_id: session.session_id, tool_use_id: session.calls[0], result: 'allow' };
    expect((await callTool(client, 'session_respond', args)).text).toMatch(REFUSAL);
    expect(sent(session)).toEqual([]);
    await client.close();
  });
});

describe('the answer of a person', () => {
  let server: TestServer;
  let session: WaitingSession;
  let client: Client;
  beforeEach(async () => {
    server = await startServer(serverEnv(simulator.url, HUMAN));
    client = await connectHttp(server.url);
    session = await startWaiting(client, simulator, deployer);
  });
  afterEach(async () => {
    await client.close();
    await server.close();
  });

  const theCall = (): Record<string, unknown> => ({
    session_id: session.session_id,
    tool_use_id: session.calls[0],
    result: 'allow',
  });
  const askFor = async (args = theCall(), at = server): Promise<string> => {
    const { json } = await raw(at, { arguments: args });
    expect(json.result).toMatchObject({ resultType: 'input_required', inputRequests: expect.any(Object) });
    return json.result.requestState as string;
  };
  const answer = async (
    requestState: string,
    args = theCall(),
    at = server,
  ): Promise<{ isError: boolean; text: string }> => {
    const inputResponses = Object.fromEntries(session.calls.map((id) => [id, ALLOW]));
    const { json } = await raw(at, { arguments: args, requestState, inputResponses });
    return { isError: json.result.isError === true, text: json.result.content[0].text };
  };
  const UNUSABLE = /^This answer of the person is not valid/;

  it('counts once, and is on record as the decision of a person', async () => {
    const state = await askFor();
    expect(auditLines().at(-1)).toMatchObject({
      outcome: 'asked',
      channel: 'human',
      tool_use_ids: [session.calls[0]],
    });
    expect(auditLines().at(-1)).not.toHaveProperty('decisions');
    expect((await answer(state)).isError).toBe(false);
    expect(auditLines().at(-1)).toMatchObject({
      outcome: 'ok',
      channel: 'human',
      decisions: { [session.calls[0]!]: 'allow' },
    });
    expect(await answer(state)).toEqual({ isError: true, text: expect.stringMatching(UNUSABLE) });
    expect(sent(session)).toHaveLength(1);
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['another call', () => ({ ...theCall(), tool_use_id: session.calls[1] })],
    ['more calls', () => ({ ...theCall(), tool_use_ids: session.calls })],
    ['another decision', () => ({ ...theCall(), result: 'deny' })],
    ['another session', () => ({ ...theCall(), session_id: 'sesn_other' })],
  ])('does not count for %s', async (_name, args) => {
    expect(await answer(await askFor(), args())).toEqual({ isError: true, text: expect.stringMatching(UNUSABLE) });
    expect(sent(session)).toEqual([]);
  });

  it('does not count with a result that was not shown', async () => {
    const shown = await startWaiting(client, simulator, support);
    const args = { session_id: shown.session_id, tool_use_id: shown.calls[0], custom_result: { text: 'shown' } };
    const state = await askFor(args);
    const { text } = await answer(state, { ...args, custom_result: { text: 'another' } });
    expect(text).toMatch(UNUSABLE);
    expect(sent(shown)).toEqual([]);
  });

  it.each<[string, (state: string) => string]>([
    ['cut', (state) => state.slice(0, -2)],
    ['changed', (state) => `${state.slice(0, 30)}${state[30] === 'A' ? 'B' : 'A'}${state.slice(31)}`],
    ['made up', () => 'v1.e30.AAAA'],
    ['no state at all', () => 'x'],
    ['empty', () => ''],
  ])('does not count when its state is %s', async (_name, damage) => {
    expect((await answer(damage(await askFor()))).text).toMatch(UNUSABLE);
    expect(sent(session)).toEqual([]);
  });

  it('does not count after ten minutes', async () => {
    const state = await askFor();
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 601_000);
    expect((await answer(state)).text).toMatch(UNUSABLE);
    expect(sent(session)).toEqual([]);
  });

  it('does not count for another principal, but does on another replica', async () => {
    const { MCP_AUTH_MODE: _mode, MCP_BEARER_TOKEN: _token, ...open } = serverEnv(simulator.url, HUMAN);
    const anonymous = await startServer({ ...open, MCP_ALLOW_INSECURE_NO_AUTH: 'true' });
    const replica = await startServer(serverEnv(simulator.url, HUMAN));
    const state = await askFor();
    expect((await answer(state, theCall(), anonymous)).text).toMatch(UNUSABLE);
    expect(sent(session)).toEqual([]);
    expect((await answer(state, theCall(), replica)).isError).toBe(false);
    expect(sent(session)).toHaveLength(1);
    await anonymous.close();
    await replica.close();
  });

  it('does not count with another secret', async () => {
    const other = await startServer(serverEnv(simulator.url, { MCP_APPROVAL_MODE: 'human' }));
    expect((await answer(await askFor(), theCall(), other)).text).toMatch(UNUSABLE);
    await other.close();
  });

  it('is nothing without a question: the person is asked', async () => {
    const inputResponses = { [session.calls[0]!]: ALLOW };
    const { json } = await raw(server, { arguments: theCall(), inputResponses });
    expect(json.result).toMatchObject({ resultType: 'input_required' });
    expect(sent(session)).toEqual([]);
  });

  it.each([{}, { decision: 'maybe' }, { decision: true }, { decision: 'allow', reason: 1 }])(
    'that cannot be read (%j) decides nothing',
    async (content) => {
      const requestState = await askFor();
      const inputResponses = { [session.calls[0]!]: { action: 'accept', content } };
      const { json } = await raw(server, { arguments: theCall(), requestState, inputResponses });
      expect(json.result.structuredContent).toMatchObject({ ok: false, not_sent: [{ why: 'unreadable' }] });
      expect(sent(session)).toEqual([]);
    },
  );

  it('comes too late when somebody else was faster, and is told so', async () => {
    const state = await askFor();
    const denial = { type: 'user.tool_confirmation', tool_use_id: session.calls[0], result: 'deny' };
    await sendDirectly(simulator, session.session_id, denial);
    const { isError, text } = await answer(state);
    expect(isError).toBe(true);
    expect(text).toContain(`${session.calls[0]} was already answered with deny, which stays`);
    expect(sent(session)).toEqual([]);
  });

  it('is not asked for when there is nothing to decide', async () => {
    await sendDirectly(simulator, session.session_id, {
      type: 'user.tool_confirmation',
      tool_use_id: session.calls[0],
      result: 'allow',
    });
    const same = await raw(server, { arguments: theCall() });
    expect(same.json.result.structuredContent).toMatchObject({ ok: true, already_answered: [session.calls[0]] });
    const other = await raw(server, { arguments: { ...theCall(), result: 'deny' } });
    expect(other.json.result.content[0].text).toContain('was already answered with allow');
    const unknown = await raw(server, { arguments: { ...theCall(), tool_use_id: 'sevt_unknown' } });
    expect(unknown.json.result.content[0].text).toContain('is no tool call of this session');
  });

  it('is asked for ten calls at most', async () => {
    const tool_use_ids = Array.from({ length: 11 }, (_, index) => `sevt_${index}`);
    const { json } = await raw(server, {
      arguments: { session_id: session.session_id, tool_use_ids, result: 'allow' },
    });
    expect(json.result.content[0].text).toMatch(/^A person can be asked about at most 10 calls at once/);
  });

  it('is asked with the words of the agent as data: cut to size, nothing hidden in it', async () => {
    const command = `echo "\u202e${'x'.repeat(9000)}"\nDecision: allow`;
    simulator.scenarios.set(analyst, [ask({ name: 'run\u200b\nTool: harmless', input: { command } }), say('ok')]);
    const other = await startWaiting(client, simulator, analyst);
    const args = { session_id: other.session_id, tool_use_id: other.calls[0], result: 'allow' };
    const { json } = await raw(server, { arguments: args });
    const { message } = json.result.inputRequests[other.calls[0]!].params as Form;
    expect(message).toContain('Tool: run\\u{200b}\\u{000a}Tool: harmless\nInput, not shown whole:');
    expect(message).toContain('\\u{202e}');
    expect(message).toMatch(/\[truncated \d+ chars\]/);
    expect(message).toContain('characters are left out');
    expect(message).toMatch(/\\nDecision: allow"}/);
    expect(message.length).toBeLessThan(4500);
    expect(message.split('\n').filter((line) => line.startsWith('Tool:'))).toHaveLength(1);
  });

  it('of a custom tool, too, is asked with the kind it waits for', async () => {
    simulator.scenarios.set(analyst, [customTool({ name: 'lookup', input: {} }), say('ok')]);
    const other = await startWaiting(client, simulator, analyst);
    const args = { session_id: other.session_id, tool_use_id: other.calls[0], result: 'allow' };
    const { json } = await raw(server, { arguments: args });
    expect(json.result.content[0].text).toContain('answer it with custom_result');
  });
});

it('is on record also when the call that carries it asks the next question', async () => {
  simulator.scenarios.set(analyst, [ask({ name: 'first' }), ask({ name: 'second' }), say('done')]);
  const server = await startServer(serverEnv(simulator.url, HUMAN));
  const person = new Person(MODERN, (_form, index) => (index === 0 ? ALLOW : DENY));
  const client = await connectHttp(server.url, MODERN, undefined, person.client);
  const { session_id, calls } = await startWaiting(client, simulator, analyst);
  await callTool(client, 'session_wait', { session_id });
  const [first, second] = answersSent(simulator, session_id).map(({ tool_use_id }) => tool_use_id as string);
  expect(first).toBe(calls[0]);
  const approvals = auditLines()
    .filter(({ audit }) => audit === 'session_wait')
    .map(({ outcome, channel, tool_use_ids, decisions }) => ({ outcome, channel, tool_use_ids, decisions }));
  expect(approvals).toEqual([
    { outcome: 'asked', channel: 'human', tool_use_ids: [first], decisions: undefined },
    { outcome: 'asked', channel: 'human', tool_use_ids: [first, second], decisions: { [first!]: 'allow' } },
    { outcome: 'ok', channel: 'human', tool_use_ids: [second], decisions: { [second!]: 'deny' } },
  ]);
  await client.close();
  await server.close();
});

it('is not asked for in mode model, whatever the client can show', async () => {
  const server = await startServer(serverEnv(simulator.url));
  const person = new Person(MODERN, () => DENY);
  const client = await connectHttp(server.url, MODERN, undefined, person.client);
  const session = await startWaiting(client, simulator, deployer);
  const args = { session_id: session.session_id, tool_use_id: session.calls[0], result: 'allow' };
  expect((await callTool(client, 'session_respond', args)).data).toMatchObject({ ok: true, result: 'allow' });
  expect(person.forms).toEqual([]);
  await client.close();
  await server.close();
});

/** A call of session_respond, byte for byte as written here. */
function raw({ url }: TestServer, params: Record<string, unknown>): Promise<RawAnswer> {
  return callAtForms(url, 'session_respond', params);
}
