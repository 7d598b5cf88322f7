import { AgentRunner } from './agent-runner.js';
import { Inbox } from './inbox.js';
import { SessionState } from './state.js';

/** A session at work: what clients send goes into its inbox, and each step does a little of what follows from it. */
export class Session extends SessionState {
  readonly inbox = new Inbox(this);

  /** Whether the next step would do anything. */
  get ready(): boolean {
    return !this.deleted && (this.inbox.urgent || this.shouldWake || this.tasks.ready);
  }

  /** One burst of work: urgent input first, then whoever has something to do. */
  step(): boolean {
    if (!this.ready) return false;
    if (this.inbox.takeUrgent()) return true;
    if (this.shouldWake) this.primary.task = this.tasks.start(new AgentRunner(this, this.primary).turn());
    return this.tasks.step();
  }

  private get shouldWake(): boolean {
    const waiting = this.primary.inbox.length > 0 || this.outcomes.some(({ fresh }) => fresh);
    return waiting && !this.primary.busy && this.primary.status !== 'terminated' && this.archivedAt === undefined;
  }
}
