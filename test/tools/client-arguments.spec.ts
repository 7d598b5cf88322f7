/** Arguments as clients and models really send them. What each schema reads is in src/mcp/argument-reader.spec.ts. */
import { allTools } from '../../docs/generate/tools.js';
import { FIXTURES } from '../simulator/index.js';
import { startWaiting } from '../support/calls.js';
import { callTool, ERAS } from '../support/client.js';
import { exampleCalls } from '../support/example-calls.js';
import { type Harness, startHarness } from '../support/harness.js';
import { call, send } from '../support/rpc.js';
import { auditLines } from '../support/stderr.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;
const start = { agent_id, environment_id };
const url = 'https://github.com/a/b';

describe.each(ERAS)('a client of %s', (_version, mode) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness({ mode, env: { MCP_LOG_LEVEL: 'fatal' } });
  });
  afterAll(() => harness.close());

  const lastRequest = () => harness.simulator.requests.at(-1)!;
  async function expectOk(name: string, args: Record<string, unknown>): Promise<Record<string, any>> {
    const answer = await callTool(harness.client, name, args);
    expect(answer).toMatchObject({ isError: false });
    return answer.data;
  }
  /** What is sent to the API for a session_start. */
  async function created(args: Record<string, unknown>): Promise<Record<string, unknown>> {
    await expectOk('session_start', { ...start, ...args });
    const request = harness.simulator.requests.findLast(
      ({ method, path }) => method === 'POST' && path.endsWith('sessions'),
    );
    return request!.body as Record<string, unknown>;
  }

  it('reads numbers, booleans and lists that are given as text', async () => {
    expect((await expectOk('agent_list', { limit: '1', include_archived: 'true' })).count).toBe(1);
    expect(lastRequest().query.toString()).toBe('limit=1&include_archived=true');
    await expectOk('session_list', { statuses: '["idle"]' });
    await expectOk('session_list', { statuses: 'idle' });
    expect(lastRequest().query.getAll('statuses[]')).toEqual(['idle']);
  });

  it('reads an object that is given as text, and numbers in metadata as text', async () => {
    expect(await created({ metadata: '{"a":"b"}' })).toMatchObject({ metadata: { a: 'b' } });
    expect(await created({ metadata: { ticket: 42, urgent: true, none: null } })).toMatchObject({
      metadata: { ticket: '42', urgent: 'true' },
    });
    expect(await created({ budget_usd: '2.50' })).toMatchObject({ budget: { max_list_cost: { amount: '250' } } });
  });

  it('leaves out optional arguments that are filled with nothing', async () => {
    await expectOk('session_list', { agent_id: '', created_after: '', created_before: '', page: '', statuses: [] });
    const { data } = await callTool(harness.client, 'session_start', start);
    await expectOk('session_events', { session_id: data.session_id, format: '', types: '', since: '', limit: 0 });
    const filled = {
      message: 'x',
      title: '',
      vault_ids: [],
      agent_version: 0,
      budget_usd: 0,
      metadata: {},
      file_ids: null,
    };
    expect(await created(filled)).toEqual(await created({ message: 'x' }));
    const renamed = await expectOk('session_update', { session_id: data.session_id, title: 'new', budget_usd: '' });
    expect(renamed).toMatchObject({ title: 'new', budget_usd: null });
  });

  it('leaves them out within lists of objects as well', async () => {
    for (const nothing of [null, '']) {
      const body = await created({ repositories: [{ url, branch: 'main', commit: nothing, mount_path: nothing }] });
      expect(body.resources).toEqual([{ type: 'github_repository', url, checkout: { type: 'branch', name: 'main' } }]);
    }
  });

  it('null removes a key of metadata in session_update, as an empty text does', async () => {
    const { data } = await callTool(harness.client, 'session_start', {
      ...start,
      metadata: { a: '1', b: '2', c: '3' },
    });
    const metadata = { a: null, b: '' };
    expect(await expectOk('session_update', { session_id: data.session_id, metadata })).toMatchObject({
      metadata: { c: '3' },
    });
  });

  it('reads a limit above the maximum as the maximum', async () => {
    await expectOk('agent_list', { limit: 500 });
    expect(lastRequest().query.get('limit')).toBe('100');
    const { data } = await callTool(harness.client, 'session_start', start);
    await expectOk('session_events', { session_id: data.session_id, limit: 1000 });
    expect(
      await callTool(harness.client, 'session_message', {
        session_id: data.session_id,
        outcome: { description: 'd', rubric: 'r', max_iterations: 21 },
      }),
    ).toMatchObject({ isError: true, text: expect.stringContaining('outcome.max_iterations: must be at most 20') });
  });

  const emptyAnswers = { tool_use_id: '', deny_message: '', custom_result: { text: '', is_error: false } };
  const nullAnswers = { tool_use_id: null, deny_message: null, custom_result: null };
  it.each([emptyAnswers, nullAnswers])('an approval may fill every argument: %j', async (rest) => {
    const { session_id, calls } = await startWaiting(harness.client, harness.simulator, FIXTURES.agents.deployer);
    const args = { session_id, tool_use_ids: JSON.stringify(calls), result: 'allow', ...rest };
    expect(await expectOk('session_respond', args)).toMatchObject({ ok: true, tool_use_ids: calls, result: 'allow' });
    expect(auditLines().findLast(({ audit }) => audit === 'session_respond')).toMatchObject({ tool_use_ids: calls });
  });

  it.each([
    { text: 'Go on', outcome: null },
    { text: 'Go on', outcome: {} },
    { text: 'Go on', outcome: { description: '', rubric: '', max_iterations: 0 } },
    { text: '', outcome: { description: 'd', rubric: 'r', max_iterations: null } },
    { text: null, outcome: '{"description":"d","rubric":"r"}' },
  ])('a message may fill every argument: %j', async (args) => {
    const { data } = await callTool(harness.client, 'session_start', start);
    await expectOk('session_message', { session_id: data.session_id, ...args });
    const { events } = lastRequest().body as { events: { type: string }[] };
    expect(events.map(({ type }) => type)).toEqual([args.text ? 'user.message' : 'user.define_outcome']);
  });

  it('a tool that reads leaves an unknown argument out and names it in its answer', async () => {
    const data = await expectOk('agent_list', { limit: 5, random_string: 'x', ['k'.repeat(100)]: '\u001b[31m' });
    expect(data).toMatchObject({ ignored_arguments: ['random_string', 'k'.repeat(64)] });
    expect(await expectOk('agent_list', { limit: 5 })).not.toHaveProperty('ignored_arguments');
  });

  it.each([
    ['budget', 'budget_usd'],
    ['bugdet_usd', 'budget_usd'],
    ['max_budget', 'budget_usd'],
    ['budgetUsd', 'budget_usd'],
    ['prompt_message', 'message'],
  ])('session_start refuses "%s", and names "%s"', async (unknown, known) => {
    const before = harness.simulator.requests.length;
    const answer = await callTool(harness.client, 'session_start', { ...start, [unknown]: 1 });
    expect(answer).toMatchObject({ isError: true });
    expect(answer.text).toContain(`unknown argument "${unknown}" (did you mean "${known}"?); allowed: agent_id`);
    expect(harness.simulator.requests).toHaveLength(before);
  });

  it('names the nearest key within an argument as well', async () => {
    const answer = await callTool(harness.client, 'session_start', {
      ...start,
      repositories: [{ url, brnch: 'main' }],
    });
    expect(answer.text).toContain(
      'repositories.0 has unknown keys: "brnch" (did you mean "branch"?); allowed: url, branch, commit, mount_path',
    );
  });

  it.each([null, [], '', '{"limit":"1"}'])('arguments sent as %j are an object', async (args) => {
    expect(await expectOk('agent_list', args as never)).not.toHaveProperty('ignored_arguments');
  });
});

it.each(allTools().filter(({ hints }) => hints.readOnlyHint))(
  '$name ignores what it does not know',
  ({ name, input }) => {
    const result = input.accepting('ignored')['~standard'].validate({ ...exampleCalls(name)[0], random_string: 'x' });
    expect(result).not.toHaveProperty('issues');
  },
);

it.each(allTools().filter(({ hints }) => !hints.readOnlyHint))(
  '$name refuses what it does not know',
  ({ name, input }) => {
    const result = input['~standard'].validate({ ...exampleCalls(name)[0], random_string: 'x' });
    expect(result).toMatchObject({
      issues: [{ message: expect.stringContaining('unknown argument "random_string"') }],
    });
  },
);

describe('on the way in', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  it('guardrails decide about arguments after reading', async () => {
    const env = { MCP_LOG_LEVEL: 'fatal', MCP_ALLOWED_VAULT_IDS: 'vlt_other', MCP_MAX_BUDGET_USD: '5' };
    harness = await startHarness({ env });
    const cases: [args: object, rule: string][] = [
      [{ vault_ids: `["${FIXTURES.vaults.github}"]` }, 'vault_allowlist'],
      [{ vault_ids: FIXTURES.vaults.github }, 'vault_allowlist'],
      [{ budget_usd: '50' }, 'budget_ceiling'],
    ];
    for (const [args, rule] of cases) {
      const answer = await callTool(harness.client, 'session_start', { ...start, ...args });
      expect([answer.isError, auditLines().at(-1)]).toEqual([
        true,
        expect.objectContaining({ outcome: 'refused', rule }),
      ]);
    }
  });

  it('a batch may hold calls without arguments', async () => {
    harness = await startHarness();
    const body = [1, 2].map((id) => call('tools/call', { name: 'agent_list', arguments: null }, id));
    const answer = await send(harness.server.url, { body, headers: { 'mcp-protocol-version': '2025-03-26' } });
    expect(answer.json).toMatchObject([{ id: 1, result: { structuredContent: { has_more: false } } }, { id: 2 }]);
  });
});
