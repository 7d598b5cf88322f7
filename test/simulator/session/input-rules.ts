import { invalid } from '../http/errors.js';
import type { ClientEvent } from '../wire.js';
import type { SessionState } from './state.js';

type Of<T extends ClientEvent['type']> = Extract<ClientEvent, { type: T }>;

const SYSTEM_MESSAGE_MODELS = /fable-5|mythos-5|opus-4-8|opus-5|sonnet-5-5|haiku-5-5/;
const MAY_PRECEDE_SYSTEM = ['user.message', 'user.tool_result', 'user.custom_tool_result'];
const ANSWERS = 'only user.tool_confirmation, user.custom_tool_result, user.tool_result, or user.interrupt may be sent';

/** What a session accepts in its present state. Events of one request are judged in order, each after those before it. */
export class InputRules {
  private readonly waitingOn: Set<string>;
  private readonly budgetReached: boolean;
  private outcomeActive: boolean;

  constructor(private readonly session: SessionState) {
    this.waitingOn = new Set(pendingIds(session));
    this.budgetReached = session.pausedForBudget;
    this.outcomeActive = session.outcomes.some(({ active }) => active);
  }

  check(events: readonly ClientEvent[]): void {
    if (this.session.archivedAt !== undefined) {
      throw invalid(`Session ${this.session.id} has been archived and no longer accepts events.`);
    }
    if (this.session.status.actual === 'terminated') {
      throw invalid(`Session ${this.session.id} is terminated and no longer accepts events.`);
    }
    events.forEach((event, index) => this.checkOne(event, index, events));
  }

  private checkOne(event: ClientEvent, index: number, all: readonly ClientEvent[]): void {
    switch (event.type) {
      case 'user.message':
      case 'user.define_outcome':
        return this.checkNewWork(event, index);
      case 'system.message':
        return this.checkSystem(index, all);
      case 'user.interrupt':
        return this.checkInterrupt(event);
      case 'user.tool_confirmation':
        return this.checkConfirmation(event);
      case 'user.custom_tool_result':
        return this.checkCustomResult(event);
      case 'user.tool_result':
        return this.checkToolResult(event);
    }
  }

  private checkNewWork({ type }: ClientEvent, index: number): void {
    if (this.waitingOn.size > 0) {
      const ids = [...this.waitingOn].join(', ');
      throw invalid(`Invalid ${type} event at events[${index}]: waiting on responses to events [${ids}]; ${ANSWERS}`);
    }
    if (this.budgetReached) {
      throw invalid(`Invalid ${type} event at events[${index}]: the session's budget is reached; ${ANSWERS}`);
    }
    if (type !== 'user.define_outcome') return;
    if (this.outcomeActive) throw invalid('An outcome is already active; only one may be active at a time.');
    this.outcomeActive = true;
  }

  private checkSystem(index: number, all: readonly ClientEvent[]): void {
    const before = all[index - 1];
    if (index !== all.length - 1 || !before || !MAY_PRECEDE_SYSTEM.includes(before.type)) {
      throw invalid('system.message must be the last event, right after a user.message or a tool result');
    }
    if (!SYSTEM_MESSAGE_MODELS.test(this.session.config.agent.model.id)) {
      const model = this.session.config.agent.model.id;
      throw invalid(
        `${model} does not support mid-conversation system messages`,
        'model_does_not_support_mid_conversation_system',
      );
    }
  }

  private checkInterrupt({ session_thread_id }: Of<'user.interrupt'>): void {
    for (const id of this.waitingOn) {
      if (!session_thread_id || this.session.calls.find(id)?.threadId === session_thread_id) this.waitingOn.delete(id);
    }
    if (!session_thread_id) return;
    const thread = this.session.threads.find(({ id }) => id === session_thread_id);
    if (!thread) throw invalid(`session_thread_id "${session_thread_id}" does not match any thread in this session`);
    if (thread.status === 'terminated') throw invalid(`Thread ${thread.id} is terminated`);
  }

  private checkConfirmation({ tool_use_id: id }: Of<'user.tool_confirmation'>): void {
    const call = this.session.calls.find(id);
    if (!call || call.kind === 'custom') {
      throw invalid(`\`tool_use_id\` "${id}" does not match any \`agent.tool_use\` event in this session`);
    }
    this.waitingOn.delete(call.postedId);
    // A thread that was archived with a call pending still takes the answer, and nothing comes of it.
    if (this.session.threads.find((thread) => thread.id === call.threadId)?.status === 'terminated') return;
    if (call.permission !== 'ask') throw invalid(`\`tool_use_id\` "${id}" did not ask for a confirmation`);
    if (call.confirmation || call.answerQueued || call.result) {
      throw invalid(`\`tool_use_id\` "${id}" is not waiting for a confirmation`);
    }
  }

  /** A second result for one call is accepted, stored, and leads to nothing. */
  private checkCustomResult({ custom_tool_use_id: id }: Of<'user.custom_tool_result'>): void {
    const call = this.session.calls.find(id);
    if (call?.kind !== 'custom') {
      throw invalid(
        `\`custom_tool_use_id\` "${id}" does not match any \`agent.custom_tool_use\` event in this session`,
      );
    }
    this.waitingOn.delete(call.postedId);
  }

  private checkToolResult({ tool_use_id: id }: Of<'user.tool_result'>): void {
    const call = this.session.calls.find(id);
    if (call?.kind !== 'tool') {
      throw invalid(`\`tool_use_id\` "${id}" does not match any \`agent.tool_use\` event in this session`);
    }
    if (this.session.config.environment.config.type !== 'self_hosted') {
      throw invalid('user.tool_result is only accepted in self-hosted environments');
    }
    this.waitingOn.delete(call.postedId);
  }
}

/** What the newest idle waits for and no accepted event has answered yet. */
function pendingIds(session: SessionState): string[] {
  const stop = session.stopReason;
  if (session.status.actual !== 'idle' || stop?.type !== 'requires_action') return [];
  const waiting = session.calls.waiting(stop.event_ids).filter(({ answerQueued }) => !answerQueued);
  return waiting.map(({ postedId }) => postedId);
}
