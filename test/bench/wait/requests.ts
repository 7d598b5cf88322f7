import { type FakeMethod, install } from '@sinonjs/fake-timers';
import { type WaitSettings } from '../../../src/config/wait.settings.js';
import { type EventLogService } from '../../../src/managed-agents/event-log.service.js';
import { FollowService } from '../../../src/managed-agents/follow/follow.service.js';
import { SessionStats } from '../../../src/managed-agents/session-stats.js';
import { FIXTURES, Simulator } from '../../simulator/index.js';
import { CountedLog, type Requests } from './counted-log.js';
import { Random } from './random.js';
import { SessionLife, workingAgent } from './session-life.js';
import { Watcher } from './watcher.js';

export interface RequestsResult {
  readonly watchers: number;
  readonly sessions: number;
  readonly minutes: number;
  readonly turns: number;
  /** Calls of `session_wait`. */
  readonly calls: number;
  readonly streamsPerMinute: number;
  readonly pagesPerMinute: number;
  /** What the same watchers would ask at 1 Hz, each while it watches. */
  readonly naivePerMinute: number;
}

const SESSIONS = 20;
const WATCHERS_PER_SESSION = 5;
const MINUTES = 10;
/** The defaults of the server. */
const SETTINGS = { maxStreams: 500, readsPerMinute: 300 } as WaitSettings;

/** Requests to the API for ten simulated minutes of many watchers, who share what they read. */
export async function countRequests(seed: number): Promise<RequestsResult> {
  const simulator = await Simulator.start({ fixtures: true });
  const clock = install({ toFake: TIMERS });
  try {
    return await watchFor(MINUTES, simulator, (ms) => clock.tickAsync(ms), new Random(seed));
  } finally {
    clock.uninstall();
    await simulator.close();
  }
}

const TIMERS: FakeMethod[] = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'performance',
];

async function watchFor(
  minutes: number,
  simulator: Simulator,
  pass: (ms: number) => Promise<unknown>,
  random: Random,
): Promise<RequestsResult> {
  const requests: Requests = { streams: 0, pages: 0 };
  const { sessions } = simulator.world;
  const source = (id: string) => new CountedLog(sessions.get(id), requests);
  const follow = new FollowService({ source } as unknown as EventLogService, SETTINGS, new SessionStats());
  const { agents, environments } = FIXTURES;
  simulator.scenarios.set(agents.analyst, workingAgent(random));
  const lives = Array.from({ length: SESSIONS }, () => {
    return new SessionLife(sessions.create({ agent: agents.analyst, environment_id: environments.cloud }), random);
  });
  const watchers = lives.flatMap((life) =>
    Array.from({ length: WATCHERS_PER_SESSION }, () => new Watcher(follow, life, random)),
  );
  for (const life of lives) void life.run();
  for (const watcher of watchers) void watcher.run();
  await pass(minutes * 60_000);
  follow.onApplicationShutdown();
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    watchers: watchers.length,
    sessions: lives.length,
    minutes,
    turns: sum(lives.map(({ turns }) => turns)),
    calls: sum(watchers.map(({ calls }) => calls)),
    streamsPerMinute: requests.streams / minutes,
    pagesPerMinute: requests.pages / minutes,
    naivePerMinute: sum(watchers.map(({ watchedMs }) => watchedMs)) / 1000 / minutes,
  };
}
