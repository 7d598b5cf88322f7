import { type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { ask, customTool, FIXTURES, say, Simulator } from '../simulator/index.js';
import { answersSent } from '../support/calls.js';
import { callTool, connectHttp, connectStdio, ERAS, MODERN } from '../support/client.js';
import { ALLOW, DENY, type Filled, Person } from '../support/person.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { auditLines } from '../support/stderr.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;
const HUMAN = { MCP_APPROVAL_MODE: 'human' };
const bash = { name: 'bash', input: { command: 'make deploy' } };

let simulator: Simulator;
let server: TestServer | undefined;
let person: Person;
beforeEach(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterEach(async () => {
  await person.client.close();
  await server?.close();
  server = undefined;
  await simulator.close();
});

async function sitDown(transport: 'http' | 'stdio', mode: VersionNegotiationMode, fill: (index: number) => Filled) {
  person = new Person(mode, (_form, index) => fill(index));
  const env = serverEnv(simulator.url, HUMAN);
  if (transport === 'stdio') return void (await connectStdio(env, mode, person.client));
  server = await startServer(env);
  await connectHttp(server.url, mode, undefined, person.client);
}

async function startAndWait(): Promise<Record<string, any>> {
  const started = await callTool(person.client, 'session_start', { agent_id, environment_id, message: 'Deploy' });
  const { session_id, next_since: since } = started.data;
  const { data } = await callTool(person.client, 'session_wait', { session_id, since });
  return { ...data, session_id };
}

describe.each([['http', '2026-07-28', MODERN] as const, ...ERAS.map(([era, mode]) => ['stdio', era, mode] as const)])(
  'over %s, %s, a wait in mode human',
  (transport, _era, mode) => {
    it('asks the person, sends the answer and goes on, within one call', async () => {
      simulator.scenarios.set(agent_id, [ask(bash), say('Deployed.')]);
      await sitDown(transport, mode, () => ALLOW);
      const data = await startAndWait();
      expect(person.forms).toHaveLength(1);
      expect(person.forms[0]!.message).toContain('make deploy');
      expect(data).toMatchObject({ reason: 'turn_over', final_message: 'Deployed.' });
      expect(answersSent(simulator, data.session_id as string)).toMatchObject([{ result: 'allow' }]);
    });

    it('asks again for the next call, and passes on a denial with its reason', async () => {
      simulator.scenarios.set(agent_id, [ask(bash), ask(bash), say('Half of it.')]);
      await sitDown(transport, mode, (index) => (index === 0 ? ALLOW : DENY));
      const data = await startAndWait();
      expect(data).toMatchObject({ reason: 'turn_over', final_message: 'Half of it.' });
      expect(answersSent(simulator, data.session_id as string)).toMatchObject([
        { result: 'allow' },
        { result: 'deny', deny_message: 'Not on a Friday.' },
      ]);
    });

    it('does not decide anything when the person does not', async () => {
      simulator.scenarios.set(agent_id, [ask(bash), say('Deployed.')]);
      await sitDown(transport, mode, () => ({ action: 'cancel' }));
      const data = await startAndWait();
      expect(data).toMatchObject({
        reason: 'action_required',
        note: expect.stringContaining('made no decision') as string,
      });
      expect(answersSent(simulator, data.session_id as string)).toEqual([]);
    });
  },
);

it('leaves to the model what only it can answer', async () => {
  simulator.scenarios.set(agent_id, [customTool({ name: 'lookup', input: { key: 'a' } })]);
  await sitDown('http', MODERN, () => ALLOW);
  expect(await startAndWait()).toMatchObject({ reason: 'action_required' });
  expect(person.forms).toEqual([]);
});

it('is recorded as asked and as decided by a human', async () => {
  simulator.scenarios.set(agent_id, [ask(bash), say('Deployed.')]);
  await sitDown('http', MODERN, () => ALLOW);
  await startAndWait();
  expect(auditLines().filter(({ audit }) => audit === 'session_wait')).toMatchObject([
    { outcome: 'asked', channel: 'human' },
    { outcome: 'ok', channel: 'human' },
  ]);
});
