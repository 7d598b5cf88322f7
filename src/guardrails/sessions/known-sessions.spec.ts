import { ApiError } from '../../managed-agents/api-error.js';
import { type Session, type SessionsService } from '../../managed-agents/sessions.service.js';
import { KnownSessions } from './known-sessions.js';

const session = (id: string, owner?: string) =>
  ({
    id,
    agent: { id: 'agent_1' },
    environment_id: 'env_1',
    metadata: owner === undefined ? {} : { 'managed-agent-control/owner': owner },
  }) as unknown as Session;

function known(answer: (id: string) => Promise<Session>) {
  const get = jest.fn(answer);
  return { get, sessions: new KnownSessions({ get } as unknown as SessionsService) };
}

it('reads a session once, also for simultaneous calls', async () => {
  const { get, sessions } = known((id) => Promise.resolve(session(id, 'me')));
  const facts = await Promise.all([sessions.find('a'), sessions.find('a'), sessions.find('a')]);
  expect(await sessions.find('a')).toBe(facts[0]);
  expect(facts[0]).toEqual({
    agent: ['agent_1'],
    roster: [],
    environment: ['env_1'],
    vault: [],
    memory_store: [],
    owner: 'me',
  });
  expect(get).toHaveBeenCalledTimes(1);
});

it('does not read a session that was remembered', async () => {
  const { get, sessions } = known((id) => Promise.resolve(session(id)));
  sessions.remember(session('a'));
  expect(await sessions.find('a')).toMatchObject({ owner: undefined });
  expect(get).not.toHaveBeenCalled();
});

it('does not remember that a session does not exist', async () => {
  let exists = false;
  const notFound = new ApiError({ kind: 'status', operation: 'sessions.get', status: 404 });
  const { sessions } = known((id) => (exists ? Promise.resolve(session(id)) : Promise.reject(notFound)));
  expect(await sessions.find('a')).toBeUndefined();
  exists = true;
  expect(await sessions.find('a')).toBeDefined();
});

it('passes a failure on to every caller that waits, and reads again', async () => {
  const failure = new ApiError({ kind: 'status', operation: 'sessions.get', status: 529 });
  const { get, sessions } = known(() => Promise.reject(failure));
  const both = await Promise.allSettled([sessions.find('a'), sessions.find('a')]);
  expect(both.map((one) => one.status === 'rejected' && (one.reason as unknown))).toEqual([failure, failure]);
  expect(get).toHaveBeenCalledTimes(1);
  await expect(sessions.find('a')).rejects.toBe(failure);
  expect(get).toHaveBeenCalledTimes(2);
});

it('remembers the 10,000 sessions that were used last', async () => {
  const { get, sessions } = known((id) => Promise.resolve(session(id)));
  for (let n = 0; n < 10_000; n++) sessions.remember(session(`s${n}`));
  await sessions.find('s0');
  sessions.remember(session('one more'));
  await sessions.find('s0');
  expect(get).not.toHaveBeenCalled();
  await sessions.find('s1');
  expect(get.mock.calls).toEqual([['s1']]);
});

it('returns what it read although the session was remembered meanwhile', async () => {
  let answer: (session: Session) => void = () => undefined;
  const { get, sessions } = known(() => new Promise((resolve) => (answer = resolve)));
  const found = sessions.find('a');
  sessions.remember(session('a', 'me'));
  answer(session('a', 'me'));
  expect(await found).toMatchObject({ owner: 'me' });
  expect(await sessions.find('a')).toMatchObject({ owner: 'me' });
  expect(get).toHaveBeenCalledTimes(1);
});
