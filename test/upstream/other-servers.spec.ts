import { FIXTURES, type SimulatorOptions } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';
import { logLines } from '../support/stderr.js';

const agent_id = FIXTURES.agents.analyst;
const environment_id = FIXTURES.environments.cloud;

let harness: Harness;
afterEach(() => harness.close());

const boot = async (deviations: SimulatorOptions['deviations']) => {
  harness = await startHarness({ env: { MCP_LOG_LEVEL: 'warn' }, simulator: { deviations } });
};
const start = (args: object = {}) =>
  callTool(harness.client, 'session_start', { agent_id, environment_id, message: 'Look around', ...args });
/** The messages in the log of the session, as the API has it. */
const messagesOf = (id: string) =>
  harness.simulator.world.sessions.get(id).log.events.filter((event) => event.type === 'user.message');

describe.each(['refused', 'ignored'] as const)('initial_events that are %s', (initialEvents) => {
  beforeEach(() => boot({ initialEvents }));

  it('are sent by a second call, which the answer tells, and the log once', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 2; count++) {
      const { isError, data } = await start();
      expect(isError).toBe(false);
      expect(data).toMatchObject({ message_sent: true, note: expect.stringContaining('second call') });
      const wait = { session_id: data.session_id, since: data.next_since, timeout_seconds: 20 };
      expect((await callTool(harness.client, 'session_wait', wait)).data).toMatchObject({ reason: 'turn_over' });
      ids.push(data.session_id as string);
    }
    expect(ids.map((id) => messagesOf(id).length)).toEqual([1, 1]);
    expect(harness.simulator.world.sessions.all()).toHaveLength(2);
    expect(logLines().filter(({ msg }) => String(msg).includes('initial_events'))).toHaveLength(1);
  });

  it('are not lost without a word when the second call is refused', async () => {
    harness.simulator.faults.add({ method: 'POST', path: /events$/, status: 403 });
    const { data } = await start();
    expect(data).toMatchObject({ message_sent: false, next_step: expect.stringContaining('session_message') });
    expect(messagesOf(data.session_id as string)).toHaveLength(0);
  });

  it('are not sent again when the answer to the second call is lost', async () => {
    harness.simulator.faults.add({ method: 'POST', path: /events$/, reset: 'after' });
    const { data } = await start();
    expect(data).toMatchObject({ message_sent: 'unknown', next_step: expect.stringContaining('session_events') });
    expect(messagesOf(data.session_id as string)).toHaveLength(1);
  });

  it('do not repeat a create of which the answer was lost', async () => {
    // The refusal of the first create is no lost answer.
    const creates = initialEvents === 'refused' ? 2 : 1;
    harness.simulator.faults.add({ method: 'POST', path: /sessions$/, reset: 'after', after: creates - 1 });
    expect((await start()).text).toContain('session_list');
    expect(harness.simulator.requests.filter(({ method }) => method === 'POST')).toHaveLength(creates);
    expect(harness.simulator.world.sessions.all()).toHaveLength(1);
  });
});

describe('supported initial_events', () => {
  beforeEach(() => boot({}));

  it('are never sent again, although the session is idle and its log is empty for a moment', async () => {
    const { data } = await start();
    expect(data).not.toHaveProperty('note');
    expect(harness.simulator.requests.filter(({ path }) => path.endsWith('/events'))).toHaveLength(0);
  });

  it('that are invalid are refused as they are, without a session', async () => {
    harness.simulator.faults.add({
      method: 'POST',
      status: 400,
      error: { message: 'initial_events[0].content: text is not allowed to be empty' },
    });
    expect(await start()).toMatchObject({ isError: true, text: expect.stringContaining('initial_events[0]') });
    expect(harness.simulator.world.sessions.all()).toHaveLength(0);
  });
});

describe('a self-hosted server', () => {
  beforeEach(() => boot({ selfHosted: true }));

  it('runs sessions in self-hosted environments, and says what it does not take', async () => {
    expect((await callTool(harness.client, 'environment_get', { environment_id })).data).toMatchObject({
      config: { type: 'self_hosted' },
    });
    expect(await start({ file_ids: ['file_01abc'] })).toMatchObject({
      isError: true,
      text: expect.stringContaining('self-hosted environments accept memory_store resources only'),
    });
    expect(await start()).toMatchObject({ isError: false, data: { message_sent: true } });
  });
});
