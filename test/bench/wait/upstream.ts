import { FIXTURES, type RecordedRequest, say, type Session, Simulator, tool } from '../../simulator/index.js';
import { monotonicMs } from './clock.js';
import { type Command, type Endings, type Ready, type Seen } from './commands.js';

/** Enough for all rounds. */
const RECORDED_REQUESTS = 1_000_000;
const LOOK_MS = 200;
/** Tells which of the two comes last: input, or the result of the one call that a turn makes. */
const MARKS: ReadonlySet<string> = new Set(['user.message', 'agent.tool_result']);

/** The API in a process of its own, with sessions whose turns go on and end when the benchmark says so. */
class Upstream {
  private readonly endings = new Map<string, number>();
  private peak = 0;

  constructor(
    private readonly simulator: Simulator,
    private readonly sessions: readonly Session[],
  ) {
    for (const { id, log } of sessions) {
      // The first listener: it notes the time right before the frame is written to the streams.
      log.subscribe(({ type }) => {
        if (type === 'session.status_idle') this.endings.set(id, monotonicMs());
      });
    }
  }

  async obey(command: Command): Promise<true | Endings | Seen> {
    switch (command.do) {
      case 'work':
        for (const session of this.sessions) this.playToLastRequest(session);
        return true;
      case 'end':
        return this.endTurns(command.everyMs);
      case 'look':
        return this.look();
    }
  }

  private playToLastRequest({ id, log }: Session): void {
    // Among all events: a message still in the queue comes last.
    const isNear = () => log.events.findLast(({ type }) => MARKS.has(type))?.type === 'agent.tool_result';
    while (!isNear()) if (!this.simulator.step(id)) throw new Error(`session ${id} has nothing to do`);
  }

  private async endTurns(everyMs: number): Promise<Endings> {
    this.endings.clear();
    if (everyMs === 0) for (const session of this.sessions) this.playToEnd(session);
    else await Promise.all(this.sessions.map((session, index) => this.playToEndIn(index * everyMs, session)));
    return Object.fromEntries(this.endings);
  }

  private playToEndIn(ms: number, session: Session): Promise<void> {
    return new Promise((resolve) => setTimeout(() => resolve(this.playToEnd(session)), ms));
  }

  private playToEnd({ id }: Session): void {
    while (this.simulator.step(id)) continue;
  }

  private look(): Seen {
    // Without this object's own listener.
    const openStreams = this.sessions.reduce((sum, { log }) => sum + log.subscribers - 1, 0);
    this.peak = Math.max(this.peak, openStreams);
    const isRead = ({ method, path }: RecordedRequest) => method === 'GET' && /\/events(\/stream)?$/.test(path);
    return { openStreams, peakStreams: this.peak, reads: this.simulator.requests.filter(isRead).length };
  }

  /** Looks often enough to see streams that are open together for a moment only. */
  keepLooking(everyMs: number): void {
    setInterval(() => this.look(), everyMs).unref();
  }
}

async function main([count]: readonly string[]): Promise<void> {
  const simulator = await Simulator.start({ fixtures: true, agentPace: 'manual', recordedRequests: RECORDED_REQUESTS });
  const agent = FIXTURES.agents.analyst;
  simulator.scenarios.set(agent, [
    tool({ name: 'bash', input: { command: 'npm test' }, result: 'Tests: 214 passed, 214 total' }),
    say('All 214 tests pass. Nothing else is left to do.'),
  ]);
  const sessions = Array.from({ length: Number(count) }, () =>
    simulator.world.sessions.create({ agent, environment_id: FIXTURES.environments.cloud }),
  );
  const upstream = new Upstream(simulator, sessions);
  upstream.keepLooking(LOOK_MS);
  process.on('message', (command: Command) => {
    void upstream.obey(command).then((answer) => process.send?.(answer));
  });
  process.send?.({ url: simulator.url, sessionIds: sessions.map(({ id }) => id) } satisfies Ready);
}

process.once('disconnect', () => process.exit());
void main(process.argv.slice(2));
