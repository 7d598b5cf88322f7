import { type LogEvent } from './event.js';
import { identityOf } from './fields.js';
import { answeredCall, blockingCalls } from './pending.js';

/**
 * Leaves long texts out of events where a session's situation does not depend on them: a turn can hold thousands of
 * results of 100 KB each. To be shown the events newest first.
 */
export class Outline {
  private readonly answered = new Set<string>();
  /** What the newest idle waits for: it waits for them whatever the log says of earlier. */
  private awaited: readonly string[] = [];
  private newestMessage: string | undefined;

  of(event: LogEvent): LogEvent {
    const answers = answeredCall(event);
    // An allowed call is still to be carried out, and may wait for the client's worker.
    if (answers !== undefined && event.type !== 'user.tool_confirmation') this.answered.add(answers);
    if (this.awaited.length === 0) this.awaited = blockingCalls(event);
    return this.isNeeded(event) ? event : { ...event, content: undefined, input: undefined };
  }

  /** Needed are the newest message, and the input of calls that may wait. */
  private isNeeded(event: LogEvent): boolean {
    if (event.type === 'agent.message') {
      // The list can repeat it.
      this.newestMessage ??= identityOf(event);
      return identityOf(event) === this.newestMessage;
    }
    if (event.type.endsWith('tool_use')) return !this.answered.has(event.id) || this.awaited.includes(event.id);
    return !/^(agent|user|system)\./.test(event.type);
  }
}
