import { ApiError } from '../../managed-agents/api-error.js';
import { type EventLogService } from '../../managed-agents/event-log.service.js';
import { type Situation } from '../../managed-agents/log/situation.js';
import { type Session, type SessionsService } from '../../managed-agents/sessions.service.js';
import { ApprovalPage } from './approval-page.js';
import { ApprovalSearch } from './approval-search.js';
import { Candidates } from './candidates.js';
import { SettledSessions } from './settled-sessions.js';

const SESSIONS = Array.from({ length: 40 }, (_, index) => session(`sesn_${index}`, `2026-08-17T16:21:${10 + index}Z`));
const OVER = { turn: 'over', pendingActions: [], complete: true } as unknown as Situation;

function session(id: string, created_at: string): Session {
  return { id, status: 'running', created_at, agent: { id: 'agent_1', name: 'worker' } } as Session;
}

function searchOf(list: () => readonly Session[], situation: () => Situation): ApprovalSearch {
  const sessions = { list: () => Promise.resolve({ items: list() }) } as unknown as SessionsService;
  const log = { situation: () => Promise.resolve().then(situation) } as unknown as EventLogService;
  const page = new ApprovalPage({ limit: 20, maxChars: 5000 });
  return new ApprovalSearch(log, new SettledSessions(), new Candidates(sessions, undefined, undefined), page);
}

describe('when the API is slow', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** A search in which the list, and each five logs in parallel, take this long. */
  function slowSearch(listMs: number, logsMs: number): ApprovalSearch {
    const list = () => {
      jest.advanceTimersByTime(listMs);
      return SESSIONS;
    };
    return searchOf(list, () => {
      jest.advanceTimersByTime(logsMs / 5);
      return OVER;
    });
  }

  it('gives up in time, with what it has', async () => {
    const search = slowSearch(5000, 8000);
    expect(await search.run()).toBe('bounds');
    expect(search.examined).toBe(10);
  });

  it('gets on by a few sessions, however slow it is', async () => {
    const search = slowSearch(30_000, 30_000);
    expect(await search.run()).toBe('bounds');
    expect(search.examined).toBe(5);
  });
});

it('takes a list without readable times for a failure of the API', async () => {
  const search = searchOf(
    () => [session('sesn_1', 'yesterday')],
    () => OVER,
  );
  const stop = await search.run();
  expect(stop).toBeInstanceOf(ApiError);
  expect(stop).toMatchObject({ details: { kind: 'unreadable' } });
});

it('does not take a bug of ours for a failure of the API', async () => {
  const search = searchOf(
    () => SESSIONS,
    () => {
      throw new TypeError('a bug');
    },
  );
  await expect(search.run()).rejects.toThrow('a bug');
});
