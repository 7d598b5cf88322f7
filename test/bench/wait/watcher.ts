import { type FollowService } from '../../../src/managed-agents/follow/follow.service.js';
import { parseSince } from '../../../src/managed-agents/log/cursor-text.js';
import { waitAnswer } from '../../../src/session/wait/wait-answer.js';
import { WaitingTime } from '../../../src/session/wait/waiting-time.js';
import { SessionWait } from '../../../src/session/wait/session-wait.js';
import { delay } from './counted-log.js';
import { type Random } from './random.js';
import { type SessionLife } from './session-life.js';

/** The default of `session_wait`, in milliseconds. */
const TIMEOUT_MS = 45_000;
/** After how long who sits through the gap between two turns looks whether the session works again, in milliseconds. */
const LOOK_MS = [500, 1500] as const;
/** How long after the beginning of a turn those who went away are back, in milliseconds. */
const BACK_MS = [0, 30_000] as const;
const MAX_RESULT_CHARS = 40_000;

/** One client that waits for one session: again at once after a timeout, and a moment later when the turn is over. */
export class Watcher {
  /** Time spent watching, in milliseconds; what is still under way does not count. */
  watchedMs = 0;
  calls = 0;
  private since: string | undefined;

  constructor(
    private readonly sessions: FollowService,
    private readonly life: SessionLife,
    private readonly random: Random,
  ) {}

  async run(): Promise<void> {
    for (;;) {
      if (!this.life.isWatched) {
        await this.life.visit();
        await delay(this.random.between(...BACK_MS));
      }
      const startedAt = performance.now();
      const reason = await this.wait();
      if (reason !== 'timeout') await delay(this.random.between(...LOOK_MS));
      this.watchedMs += performance.now() - startedAt;
    }
  }

  /** What the tool does with one call, without the MCP call around it. */
  private async wait(): Promise<string> {
    this.calls += 1;
    const { id } = this.life.session;
    const since = parseSince(id, this.since);
    const lease = this.sessions.follow(id);
    const never = new AbortController().signal;
    const time = new WaitingTime(TIMEOUT_MS, never, never);
    try {
      const found = await new SessionWait(lease.follower, since, time).run();
      const answer = waitAnswer(found, { since, maxChars: MAX_RESULT_CHARS, notes: [] });
      this.since = (answer as { next_since: string }).next_since;
      return found.reason;
    } finally {
      lease.release('soon');
      time.dispose();
    }
  }
}
