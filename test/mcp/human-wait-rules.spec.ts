import { ask, FIXTURES, say, Simulator } from '../simulator/index.js';
import { answersSent, startWaiting, type WaitingSession } from '../support/calls.js';
import { type Callers, type CallersHarness, startWithCallers, tokenOf } from '../support/callers.js';
import { callTool, connectStdio } from '../support/client.js';
import { Collector } from '../support/collector.js';
import { ALLOW, Person } from '../support/person.js';
import { callAtForms, type RawAnswer } from '../support/rpc.js';
import { serverEnv } from '../support/server.js';
import { auditLines } from '../support/stderr.js';

/** One person with a token that may answer calls, and with one that may not. */
const CALLERS = {
  may: { subject: 'alice', scopes: ['sessions.approve'], roles: ['lead'] },
  mayNot: { subject: 'alice' },
} satisfies Callers;
const HUMAN = { MCP_APPROVAL_MODE: 'human' };
const bash = { name: 'bash', input: { command: 'make deploy' } };

let harness: CallersHarness<keyof typeof CALLERS>;
let session: WaitingSession;
const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function waiting(env: Record<string, string>): Promise<void> {
  harness = await startWithCallers(CALLERS, { ...HUMAN, ...env });
  toClose.push(() => harness.close());
  const agent = FIXTURES.agents.analyst;
  harness.simulator.scenarios.set(agent, [ask(bash), say('Deployed.')]);
  session = await startWaiting(harness.clients.may, harness.simulator, agent);
}

interface At {
  readonly name?: keyof typeof CALLERS;
  readonly path?: string;
}
const call = ({ name = 'may', path }: At, tool: string, params: Record<string, unknown>): Promise<RawAnswer> =>
  callAtForms(harness.server.url, tool, params, { path, token: tokenOf(name) });
const theWait = () => ({ arguments: { session_id: session.session_id } });

async function stateOfQuestion(): Promise<string> {
  const { json } = await call({}, 'session_wait', theWait());
  expect(json.result).toMatchObject({ resultType: 'input_required' });
  return json.result.requestState as string;
}
const answer = (at: At, requestState: string) =>
  call(at, 'session_wait', { ...theWait(), requestState, inputResponses: { [session.calls[0]!]: ALLOW } });
const sent = () => answersSent(harness.simulator, session.session_id);

/** What session_respond is refused by, as its caller sees it. */
async function expectRefused(at: At, status: number): Promise<void> {
  const args = { session_id: session.session_id, tool_use_id: session.calls[0], result: 'allow' };
  const refused = await call(at, 'session_respond', { arguments: args });
  expect([refused.status, refused.json.result?.isError]).toEqual([status, status === 200 ? true : undefined]);
}

async function expectNotAsked(at: At): Promise<void> {
  const { json } = await call(at, 'session_wait', theWait());
  expect(json.result).not.toHaveProperty('inputRequests');
  expect(json.result.structuredContent).toMatchObject({
    reason: 'action_required',
    pending_actions: [{ tool_use_id: session.calls[0] }],
  });
}

async function expectNothingSent(at: At, state: string, rule: string): Promise<void> {
  const { json } = await answer(at, state);
  expect(json.result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('session_respond') }] });
  expect(auditLines().at(-1)).toMatchObject({ audit: 'session_wait', outcome: 'refused', rule });
  expect(sent()).toEqual([]);
}

describe('a wait asks and answers only where session_respond may', () => {
  it.each<[what: string, env: Record<string, string>, at: At, status: number, rule: string]>([
    ['a scope', { MCP_TIER_SCOPES: 'approve=sessions.approve' }, { name: 'mayNot' }, 403, 'scope'],
    ['a role', { MCP_ROLE_BINDINGS: 'admin=role:lead; operator=*' }, { name: 'mayNot' }, 200, 'role'],
    ['a connection that reads only', {}, { path: '/mcp/readonly' }, 200, 'read_only'],
  ])('%s', async (_what, env, at, status, rule) => {
    await waiting(env);
    const state = await stateOfQuestion();
    await expectRefused(at, status);
    await expectNotAsked(at);
    await expectNothingSent(at, state, rule);
    expect((await answer({}, state)).json.result.isError).not.toBe(true);
    expect(sent()).toMatchObject([{ tool_use_id: session.calls[0], result: 'allow' }]);
  });

  it('while the audit that is required can be written', async () => {
    const collector = new Collector();
    toClose.push(() => collector.close());
    await waiting({ MCP_AUDIT_REQUIRED: 'true', MCP_AUDIT_URL: await collector.listen() });
    const state = await stateOfQuestion();
    await collector.until(() => collector.lines.length === auditLines().length);
    collector.status = 500;
    const before = collector.requests.length;
    await callTool(harness.clients.may, 'agent_list');
    await collector.until(() => collector.requests.length >= before + 2);
    await expectRefused({}, 200);
    await expectNotAsked({});
    await expectNothingSent({}, state, 'audit_required');
  });

  it('each call of it takes one of the calls per minute', async () => {
    // Two for start and reading, one that asks.
    await waiting({ MCP_RATE_LIMIT_PER_MINUTE: '3' });
    const { json } = await answer({}, await stateOfQuestion());
    expect(json.result).toMatchObject({ isError: true });
    expect(auditLines().at(-1)).toMatchObject({ audit: 'session_wait', rule: 'rate_limit' });
    expect(sent()).toEqual([]);
  });
});

it("over stdio, where there are no tokens, scopes stand in nobody's way", async () => {
  const simulator = await Simulator.start({ fixtures: true });
  toClose.push(() => simulator.close());
  simulator.scenarios.set(FIXTURES.agents.analyst, [ask(bash), say('Deployed.')]);
  const person = new Person('legacy', () => ALLOW);
  toClose.push(() => person.client.close());
  const env = serverEnv(simulator.url, { ...HUMAN, MCP_TIER_SCOPES: 'approve=sessions.approve' });
  await connectStdio(env, 'legacy', person.client);
  const { session_id } = await startWaiting(person.client, simulator, FIXTURES.agents.analyst);
  const { data } = await callTool(person.client, 'session_wait', { session_id });
  expect(data).toMatchObject({ reason: 'turn_over', final_message: 'Deployed.' });
  expect(answersSent(simulator, session_id)).toMatchObject([{ result: 'allow' }]);
});
