import { advance, awaitingResumption, cursorAtStart } from '../../src/managed-agents/log/cursor.js';
import { SESSION } from '../support/fake-log.js';
import { logOf, ScriptedSession } from '../support/scripted-session.js';
import { type Act, SessionLife } from '../support/session-life.js';
import { pass, settle, useVirtualTime } from '../support/virtual-time.js';
import { WaitingClient } from '../support/waiting-client.js';

beforeAll(useVirtualTime);
afterAll(() => {
  jest.useRealTimers();
});

const act = (what: Act['do'], after: number): Act => ({ do: what, after, takes: 10, big: false });
const RAISED_AT = 3010;
const LAG_MS = 600;
const life = new SessionLife([
  act('message', 1000),
  act('say', 500),
  act('budget', 500),
  act('raise', 1000),
  act('say', 200),
  act('end', 3000),
]);

/** A wait right after the budget was raised, while the list still shows the pause. */
async function waitAfterRaise(isAwaited: boolean): Promise<string | undefined> {
  const faults = [{ kind: 'list lags' as const, from: 0, lasts: 1e9, ms: LAG_MS }];
  const session = new ScriptedSession(life.happenings, faults, [10]);
  const client = new WaitingClient(session, []);
  await pass(RAISED_AT + 5);
  const before = advance(cursorAtStart(SESSION), logOf(life.happenings, RAISED_AT - 1));
  const waiting = client.wait(isAwaited ? awaitingResumption(before) : before, 20_000, 'at_once');
  await pass(25_000);
  session.stop();
  await settle();
  return (await waiting).found?.reason;
}

it('a wait after a raised budget does not take the pause before it for news, however late the list', async () => {
  expect(life.marks.find(({ reason }) => reason === 'budget_reached')!.at).toBeLessThan(RAISED_AT);
  expect(await waitAfterRaise(true)).toBe('turn_over');
});

it('a cursor that does not name the change would', async () => {
  expect(await waitAfterRaise(false)).toBe('budget_reached');
});
