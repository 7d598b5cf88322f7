import type { SpawnStep } from '../scenario.js';
import type { SessionAgent } from '../wire.js';
import type { Play } from './call-runner.js';
import { EventLog } from './event-log.js';
import type { ModelRequests } from './model-requests.js';
import type { SessionState } from './state.js';
import { PHASE, type Program, until } from './tasks.js';
import { Thread } from './thread.js';

/** How threads start others, wait for them, and report. */
export class ThreadRunner {
  private readonly children: Thread[] = [];

  constructor(
    private readonly session: SessionState,
    private readonly thread: Thread,
    private readonly requests: ModelRequests,
  ) {}

  *spawn(step: SpawnStep, assign: (child: Thread) => Program): Play {
    yield* this.requests.open();
    const { session } = this;
    const child = this.createThread(step.agentName);
    session.record({
      type: 'session.thread_created',
      session_thread_id: child.id,
      agent_name: child.agentName,
      workflow_run_id: null,
    });
    session.record({
      type: 'agent.thread_message_sent',
      to_session_thread_id: child.id,
      to_agent_name: child.agentName,
      content: [{ type: 'text', text: step.message }],
    });
    this.requests.close();
    session.threadRunning(child);
    child.task = session.tasks.start(assign(child));
    yield PHASE;
    return step.join ? yield* this.join() : [];
  }

  /** Idle, while the session keeps running, until every child has reported. */
  *join(): Play {
    const { session, thread } = this;
    const unread = () => this.children.filter(({ report }) => report !== 'read');
    const next = () => unread().find(({ report, busy }) => report === 'sent' || !busy);
    const read: Thread[] = [];
    while (unread().length > 0) {
      if (!next()) {
        thread.joining = true;
        session.threadIdle(thread, { type: 'end_turn' });
        yield until(() => next() !== undefined);
        thread.joining = false;
        session.threadRunning(thread);
      }
      const child = next()!;
      child.report = 'read';
      read.push(child);
      session.record({
        type: 'agent.thread_message_received',
        from_session_thread_id: child.id,
        from_agent_name: child.agentName,
        content: [{ type: 'text', text: child.lastText }],
      });
      yield PHASE;
    }
    return read.map(({ id, agentName, lastText }) => ({ id, name: agentName, text: lastText, isError: false }));
  }

  /** A child's last act. It stays running until a waiting parent has read it, so that the session never idles between. */
  *report(): Program {
    const { session, thread } = this;
    const content = [{ type: 'text' as const, text: thread.lastText }];
    session.record({ type: 'agent.thread_message_sent', to_session_thread_id: session.primary.id, content }, thread);
    thread.report = 'sent';
    yield PHASE;
    yield until(() => !thread.parent?.joining);
  }

  private createThread(agentName: string): Thread {
    const { session } = this;
    const { clock, ids } = session.platform;
    const agent: SessionAgent = session.platform.agentByName(agentName) ?? { ...this.thread.agent, name: agentName };
    const child = new Thread(
      ids.next('sthr'),
      agent,
      new EventLog(session.platform.serialization.listOrder),
      clock.now(),
      this.thread,
    );
    session.threads.push(child);
    this.children.push(child);
    return child;
  }
}
