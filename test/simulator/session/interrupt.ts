import type { WireEvent } from '../wire.js';
import { INTERRUPTED, recordResult } from './call-runner.js';
import type { SessionState } from './state.js';
import { PHASE, type Program } from './tasks.js';
import type { Thread } from './thread.js';
import { modelUsage } from './usage.js';

/** Stops the named thread, or every one. What an idle thread did stays as it is. */
export function interrupt(session: SessionState, queued: WireEvent): void {
  session.process(queued);
  const only = queued.session_thread_id;
  const targets = session.threads.filter((thread) => (only ? thread.id === only : thread.status !== 'terminated'));
  for (const thread of targets.filter(({ busy }) => busy)) {
    thread.task?.cancel();
    thread.task = session.tasks.start(windDown(session, thread));
  }
}

/** Closes what was open without asking the model, and idles with a plain end_turn: there is no interrupt stop reason. */
function* windDown(session: SessionState, thread: Thread): Program {
  const calls = thread.openCalls.filter(({ result }) => !result);
  thread.openCalls = [];
  thread.joining = false;
  const outcome =
    thread === session.primary ? session.outcomes.find(({ active, fresh }) => active && !fresh) : undefined;
  if (thread.status === 'idle') {
    if (calls.length === 0 && !outcome) return;
    session.threadRunning(thread);
    yield PHASE;
  }
  if (thread.openRequest) {
    const model_request_start_id = thread.openRequest.id;
    const model_usage = modelUsage(0, 0);
    thread.openRequest = undefined;
    session.record({ type: 'span.model_request_end', model_request_start_id, is_error: false, model_usage }, thread);
    yield PHASE;
  }
  for (const call of calls) recordResult(session, thread, call, INTERRUPTED);
  if (calls.length > 0) yield PHASE;
  outcome?.interrupt(session);
  session.threadIdle(thread, { type: 'end_turn' });
}
