import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { ApiError } from '../../src/managed-agents/api-error.js';
import { isDelivered } from '../../src/managed-agents/log/cursor.js';
import { encodeCursor } from '../../src/managed-agents/log/cursor-text.js';
import { identityOf, stampOf } from '../../src/managed-agents/log/event.js';
import { readEvents } from '../../src/managed-agents/log/reader.js';
import { SessionFollower } from '../../src/managed-agents/follow/session-follower.js';
import { CachedRead } from '../../src/managed-agents/follow/session-follower.js';
import { SessionWait } from '../../src/session/wait/session-wait.js';
import { type Situation } from '../../src/managed-agents/log/situation.js';
import { type Fault, listOf, logOf, ScriptedSession } from '../support/scripted-session.js';
import { type Act, ACTS, type Mark, SessionLife } from '../support/session-life.js';
import { type Waited, WaitingClient } from '../support/waiting-client.js';
import { pass, settle, useVirtualTime } from '../support/virtual-time.js';

/** How many times as many lives as usual. */
const FACTOR = Number(process.env.WAIT_MODEL_FACTOR ?? 1);

// Thousands of cases take their time on a busy machine.
jest.setTimeout(600_000 * FACTOR);
beforeAll(useVirtualTime);
afterAll(() => {
  jest.useRealTimers();
});

/** A wait that is up answers within this time, whatever the API does. In ms. */
const LATEST_MS = 250;
/** A turn without any message is told later: it might not be listed yet. In ms. */
const SPEECHLESS_MS = 1100;
/** How long a wait collects the calls of one step while the session runs, in milliseconds. */
const STEP_MS = 1000;
/** How long after a lagging list has shown something it is noticed at the latest, in ms. */
const CATCHING_UP_MS = 2750;
/** The longest pause between two looks while there is no stream, in ms. */
const POLLING_MS = 10_000;
/** How old a reading may be that is believed while the stream does not tell of changes, in ms. */
const DOUBTFUL_MS = 500;
const LAST_REQUEST_MS = 11_000;

const act: fc.Arbitrary<Act> = fc.record({
  do: fc.constantFrom(...ACTS),
  after: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 5000 })),
  takes: fc.integer({ min: 1, max: 1500 }),
  big: fc.nat({ max: 15 }).map((die) => die === 0),
});
const start: fc.Arbitrary<Act> = fc.record({
  do: fc.constantFrom('own message' as const, 'message' as const, 'outcome' as const),
  after: fc.integer({ min: 1, max: 2000 }),
  takes: fc.integer({ min: 1, max: 1500 }),
  big: fc.constant(false),
});

interface Scene {
  readonly start: Act;
  readonly acts: readonly Act[];
  readonly ties: boolean;
  readonly faults: readonly Fault[];
  readonly latencies: readonly number[];
  /** Of each client, one after the other. */
  readonly timeouts: readonly number[];
  readonly release: 'soon' | 'at_once';
  /** When the second client joins, in ms; it shares the stream of the first one. */
  readonly joins: number;
  /** What pauses are shortened by at random, so that a scene is the same whenever it is played. */
  readonly luck: readonly number[];
}

/** How far the truth may be away from what is told, and how long a reason may go unnoticed, in ms. */
interface Tolerance {
  readonly stale: number;
  /** Whether there can be something that neither list nor stream shows yet. */
  readonly blind: boolean;
  readonly unnoticed: (time: number) => number;
}

const sceneWith = (faults: fc.Arbitrary<Fault[]>): fc.Arbitrary<Scene> =>
  fc.record({
    start,
    acts: fc.array(act, { minLength: 1, maxLength: 25 }),
    ties: fc.boolean(),
    faults,
    latencies: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 7 }),
    timeouts: fc.array(fc.integer({ min: 1000, max: 30_000 }), { minLength: 1, maxLength: 4 }),
    release: fc.constantFrom('soon' as const, 'at_once' as const),
    joins: fc.integer({ min: 0, max: 8000 }),
    luck: fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 7 }),
  });

interface Played {
  readonly clients: readonly WaitingClient[];
  readonly session: ScriptedSession;
}

async function play(scene: Scene, { happenings, end }: SessionLife): Promise<Played> {
  let drawn = 0;
  jest.spyOn(Math, 'random').mockImplementation(() => (scene.luck[drawn++ % scene.luck.length] ?? 0) / 100);
  const session = new ScriptedSession(happenings, scene.faults, scene.latencies);
  const first = new WaitingClient(session, happenings);
  const second = new WaitingClient(session, []);
  // Both wait in one process.
  Object.assign(second, { service: first.service });
  const until = end + 4000;
  const running = [
    first.run(scene.timeouts, until, scene.release),
    second.run(scene.timeouts.toReversed(), until, scene.release, scene.joins),
  ];
  await pass(until + Math.max(...scene.timeouts) + 3000);
  await Promise.all(running);
  return { clients: [first, second], session };
}

async function expectNothingLeft({ clients, session }: Played): Promise<void> {
  clients[0]!.service.onApplicationShutdown();
  await settle();
  const listeners = clients.flatMap(({ cancelled, draining }) =>
    [cancelled, draining].flatMap(({ signal }) => getEventListeners(signal, 'abort')),
  );
  expect({
    timers: jest.getTimerCount() - session.timerCount,
    streams: session.streams.openCount,
    listeners: listeners.length,
    load: clients[0]!.service.load,
  }).toEqual({ timers: 0, streams: 0, listeners: 0, load: { streams: 0, polling: 0, waiters: 0 } });
  // Answers that are still under way change nothing.
  await pass(LAST_REQUEST_MS);
  session.stop();
  expect(jest.getTimerCount()).toBe(0);
}

/** What is true at some time between, for who waits from this cursor. */
function truths(life: SessionLife, waited: Waited, from: number, to: number): Mark[] {
  const first = life.marks.findLastIndex(({ at }) => at <= from);
  const marks = life.marks.filter(({ at }, index) => index >= first && at <= to);
  const answered = answeredAt(life, waited);
  return marks.flatMap((mark) => {
    const seen: Mark = { ...mark, at: Math.max(mark.at, from) };
    if (mark.reason === 'terminated' || mark.reason === 'deleted') return [seen];
    const isVerdict = mark.reason === 'outcome_evaluated';
    if (isVerdict && wasDelivered(life, waited, mark.verdict!)) return [{ ...seen, reason: undefined }];
    if (seen.at >= answered) return [seen];
    const until = life.marks[life.marks.indexOf(mark) + 1]?.at ?? Infinity;
    const masked: Mark = { ...seen, reason: undefined };
    return until > answered && answered <= to ? [masked, { ...seen, at: answered }] : [masked];
  });
}

/** When the message that a wait awaits was taken up. */
function answeredAt({ happenings }: SessionLife, { since, awaits }: Waited): number {
  if (since.awaited === undefined) return -Infinity;
  if (awaits === undefined) return -Infinity;
  return happenings.find(({ event }) => event.id === awaits && stampOf(event) !== undefined)?.at ?? Infinity;
}

function wasDelivered({ happenings }: SessionLife, { since }: Waited, id: string): boolean {
  const event = happenings.find((happening) => happening.event.id === id)?.event;
  return event !== undefined && isDelivered(since, event);
}

/** When a wait must have returned at the latest: some time after there is a reason that does not pass. */
function dueAt(life: SessionLife, waited: Waited, unnoticed: Tolerance['unnoticed']): number {
  const seen = truths(life, waited, waited.from, waited.from + waited.timeoutMs);
  for (const [index, mark] of seen.entries()) {
    if (mark.reason === undefined) continue;
    const length = seen.slice(index).findIndex(({ reason }) => reason === undefined);
    const reasons = length < 0 ? seen.slice(index) : seen.slice(index, index + length);
    const end = seen[index + reasons.length]?.at ?? Infinity;
    // Who still waits for the message of such a turn notices later what comes after it.
    const isSpeechless = [...seen.slice(0, index), ...reasons].some(
      ({ reason, spoke }) => reason === 'turn_over' && !spoke,
    );
    // Each call of a running session that is asked for starts the collection of its step anew.
    const asked = reasons.filter(({ reason }) => reason === 'action_required').length;
    const patience = unnoticed(mark.at) + (isSpeechless ? SPEECHLESS_MS : 0) + asked * STEP_MS;
    if (end - mark.at > patience) return mark.at + patience;
  }
  return Infinity;
}

function expectTruth(life: SessionLife, waited: Waited, { stale, blind, unnoticed }: Tolerance): void {
  const { from, to, timeoutMs, found, error } = waited;
  const explain = (text: string) =>
    `${text}: ${JSON.stringify({ from, to, timeoutMs, reason: found?.reason, error: (error as Error | undefined)?.message, marks: life.marks })}`;
  if (to > from + timeoutMs + LATEST_MS) throw new Error(explain('too late'));
  if (to > dueAt(life, waited, unnoticed)) throw new Error(explain('not noticed'));
  const { reason } = found ?? {};
  if (reason === undefined) return;
  if (reason === 'timeout') {
    if (to < from + timeoutMs) throw new Error(explain('too early'));
    return;
  }
  const slack = stale + (reason === 'turn_over' ? SPEECHLESS_MS : 0);
  // What happened shortly before the stream was open is nowhere to be seen while the list lags: neither that input is
  // queued when a turn ends, nor that a sub-agent asks when its work is judged.
  const isHalfTrue = ({ goesOn, verdict }: Mark) => {
    if (!blind) return false;
    return reason === 'turn_over' ? goesOn : reason === 'outcome_evaluated' && verdict !== undefined;
  };
  const isTrue = truths(life, waited, to - slack, to).some((mark) => mark.reason === reason || isHalfTrue(mark));
  if (!isTrue) throw new Error(explain('not true'));
}

/** Errors are answers only where the API refuses for the whole time, or the session is gone. */
function expectHonestError({ faults }: Scene, life: SessionLife, { error, from, to }: Waited): void {
  if (error === undefined) return;
  expect(error).toBeInstanceOf(ApiError);
  const isDeleted = life.marks.some(({ reason, at }) => reason === 'deleted' && at <= to);
  if ((error as ApiError).details.status === 404 && isDeleted) return;
  const refused = faults.some((fault) => fault.kind.startsWith('list') && fault.from <= to);
  if (!refused) throw new Error(`an error without a cause at ${from}`, { cause: error });
}

/** What one cursor has and the next one has not was in the answer; in the end all is delivered. */
async function expectNothingLost({ happenings }: SessionLife, waits: readonly Waited[]): Promise<void> {
  const list = listOf(happenings);
  const known = new Map<string, string[]>();
  const rest = async (since: Waited['since']) => {
    const text = encodeCursor({ ...since, awaited: undefined });
    const ids = known.get(text) ?? (await readEvents(list, { since, limit: 10_000 })).events.map(identityOf);
    known.set(text, ids);
    return ids;
  };
  const all = logOf(happenings, Infinity).filter((event) => stampOf(event) !== undefined);
  const first = waits[0];
  if (first) expect(await rest(first.since)).toEqual(all.map((event) => identityOf(event)));
  for (const { since, next, found } of waits) {
    const [before, after] = [await rest(since), await rest(next)];
    const delivered = before.filter((id) => !after.includes(id));
    expect(after.filter((id) => !before.includes(id))).toEqual([]);
    const handed = (found?.events ?? []).map((event) => identityOf(event));
    expect(handed.slice(0, delivered.length)).toEqual(delivered);
  }
}

const holds = (scenes: fc.Arbitrary<Scene>, tolerance: (scene: Scene) => Tolerance) =>
  fc.asyncProperty(scenes, async (scene) => {
    const life = new SessionLife([scene.start, ...scene.acts], scene.ties);
    const played = await play(scene, life);
    try {
      for (const { waits } of played.clients) {
        for (const waited of waits) {
          expectHonestError(scene, life, waited);
          expectTruth(life, waited, tolerance(scene));
        }
        await expectNothingLost(life, waits);
      }
      await expectNothingLeft(played);
    } finally {
      jest.spyOn(Math, 'random').mockRestore();
      played.session.stop();
      played.clients[0]!.service.onApplicationShutdown();
      jest.clearAllTimers();
    }
  });

const ALWAYS = { from: 0, lasts: 1e9 };
const noFaults = fc.constant<Fault[]>([]);
const lagging = fc.integer({ min: 1, max: 2000 }).map((ms): Fault[] => [{ kind: 'list lags', ...ALWAYS, ms }]);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constantFrom<Fault['kind']>('list hangs', 'stream hangs', 'stream cut', 'stream silent', 'garbage'),
    from: fc.integer({ min: 0, max: 20_000 }),
    lasts: fc.integer({ min: 100, max: 15_000 }),
  }),
  fc.record({
    kind: fc.constantFrom<Fault['kind']>('list lags', 'stream late'),
    from: fc.integer({ min: 0, max: 20_000 }),
    lasts: fc.integer({ min: 100, max: 15_000 }),
    ms: fc.integer({ min: 1, max: 2000 }),
  }),
  fc.record({
    kind: fc.constantFrom<Fault['kind']>('list refused', 'stream refused'),
    from: fc.integer({ min: 0, max: 20_000 }),
    lasts: fc.integer({ min: 100, max: 15_000 }),
    status: fc.constantFrom(429, 500, 529),
    retryAfterSeconds: fc.constantFrom(undefined, 0, 1, 7),
  }),
);

/** A request that hangs, the longest pause before the next one, and what a lagging list takes to show it. In ms. */
const RECOVERY_MS = 10_000 + 10_000 + 2000 + CATCHING_UP_MS;

function afterFaults({ faults }: Scene): Tolerance {
  const isSilent = faults.some(({ kind }) => kind === 'stream silent');
  const hangs = faults.some(({ kind }) => kind === 'list hangs');
  const lag = Math.max(0, ...faults.map(({ ms }) => ms ?? 0));
  const over = Math.max(0, ...faults.map(({ from, lasts }) => from + lasts)) + (isSilent ? 90_000 : 0);
  return {
    // The events of an answer may come in late, and then it is as old as they are.
    stale: LATEST_MS + DOUBTFUL_MS + lag + (isSilent ? 60_000 : 0) + (hangs ? 10_000 : 0),
    blind: lag > 0,
    unnoticed: (time) => Math.max(over - time, 0) + RECOVERY_MS,
  };
}

const healthy: Tolerance = { stale: LATEST_MS, blind: false, unnoticed: () => LATEST_MS };

function laggingTolerance({ faults }: Scene): Tolerance {
  const lag = faults[0]?.ms ?? 0;
  return { stale: lag + DOUBTFUL_MS + LATEST_MS, blind: true, unnoticed: () => lag + CATCHING_UP_MS };
}

/** The same lives in every run, so that a run says the same everywhere; another seed plays others. */
const SEED = Number(process.env.WAIT_MODEL_SEED ?? 31);
const lives = (count: number) => ({ seed: SEED, numRuns: count * FACTOR });

describe(`a wait (seed ${SEED})`, () => {
  it('returns in time, with the truth, when everything works', async () => {
    await fc.assert(
      holds(sceneWith(noFaults), () => healthy),
      lives(250),
    );
  });

  it('returns as soon as the list has it, when the list lags behind the stream', async () => {
    await fc.assert(holds(sceneWith(lagging), laggingTolerance), lives(200));
  });

  it('returns in time, with the truth, whatever goes wrong, and soon after it works again', async () => {
    const faults = fc.array(fault, { minLength: 1, maxLength: 4 });
    await fc.assert(holds(sceneWith(faults), afterFaults), lives(350));
  });

  it('returns after a pause of ten seconds at most, when there is never a stream', async () => {
    const refused = fc.record({
      kind: fc.constant('stream refused' as const),
      from: fc.constant(0),
      lasts: fc.constant(1e9),
      status: fc.constantFrom(404, 429, 500, 529),
      retryAfterSeconds: fc.constantFrom(undefined, 1, 30, 3600),
    });
    const tolerance = { stale: LATEST_MS + DOUBTFUL_MS, blind: false, unnoticed: () => LATEST_MS + POLLING_MS };
    const scenes = sceneWith(refused.map((each) => [each]));
    await fc.assert(
      holds(scenes, () => tolerance),
      lives(100),
    );
  });
});

const insideOf = (prototype: object) => prototype as Record<string, (...args: any[]) => any>;

const broken: Record<string, { breakIt: () => unknown; faults?: fc.Arbitrary<Fault[]> }> = {
  'takes the end of the turn before for the answer to a message just sent': {
    breakIt: () => jest.spyOn(insideOf(SessionWait.prototype), 'isInputProcessed').mockResolvedValue(true),
    faults: lagging,
  },
  'takes every idle for the end of a turn': {
    breakIt: () =>
      jest.spyOn(SessionFollower.prototype, 'situation').mockImplementation(async function (this: {
        currentSituation: CachedRead<Situation>;
      }) {
        const found = await this.currentSituation.get(500);
        return found.status === 'idle' ? { ...found, turn: 'over' } : found;
      }),
  },
  'does not look after a frame': {
    breakIt: () => jest.spyOn(SessionFollower.prototype, 'frame').mockImplementation(() => undefined),
  },
  'believes what it has read for ever': {
    breakIt: () => jest.spyOn(CachedRead.prototype, 'expire').mockImplementation(() => undefined),
  },
  'does not look again at a list that lags': {
    breakIt: () => jest.spyOn(insideOf(SessionFollower.prototype), 'notifyIn').mockImplementation(() => undefined),
    faults: lagging,
  },
  'keeps its stream when everybody has left': {
    breakIt: () => jest.spyOn(SessionFollower.prototype, 'close').mockImplementation(() => undefined),
  },
};

describe('the model finds a wait that', () => {
  afterEach(() => jest.restoreAllMocks());

  it.each(Object.entries(broken))('%s', async (_, { breakIt, faults }) => {
    breakIt();
    const tolerance = faults ? laggingTolerance : () => healthy;
    const property = holds(sceneWith(faults ?? noFaults), tolerance);
    const details = await fc.check(property, { seed: 42, numRuns: 300, endOnFailure: true });
    expect(details.failed).toBe(true);
    expect(String(details.errorInstance)).toMatch(/not true|not noticed|too late|timers/);
  });
});
