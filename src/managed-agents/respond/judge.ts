import { type CallTrace } from '../log/calls.js';
import { type PendingAction } from '../log/pending.js';
import { type Answer, answerIn, given, type GivenAnswer, isSame, kindOf } from './answer.js';

/** What is true of a call that cannot be answered as asked. */
export type CallState =
  /** It waits for another kind of answer. */
  | { readonly type: 'waits'; readonly for: PendingAction['kind'] }
  /** It was answered already, and otherwise. */
  | { readonly type: 'answered'; readonly with: GivenAnswer['type'] }
  /** The agent's policy decided it; nobody was asked. */
  | { readonly type: 'never_asked'; readonly permission: 'allow' | 'deny' }
  /** It was stopped, or its turn or thread ended. */
  | { readonly type: 'ended' }
  /** No such call in this session. */
  | { readonly type: 'unknown' };

/** What to do with one answer: send it, leave it because it was given before, or refuse it. */
export type Verdict =
  | { readonly toolUseId: string; readonly type: 'send' | 'already_answered' }
  | { readonly toolUseId: string; readonly type: 'refuse'; readonly state: CallState };

/** All that is known about one call. */
export interface CallKnowledge {
  /** Set while it waits. */
  readonly pending?: PendingAction;
  /** What this process sent lately; the list of events may not show it yet. */
  readonly remembered?: GivenAnswer;
  readonly trace?: CallTrace;
}

/** Decides about one answer. */
export function judge(toolUseId: string, answer: Answer, { pending, remembered, trace }: CallKnowledge): Verdict {
  const kind = kindOf(answer.type);
  const before = remembered ?? (trace && answerIn(trace, kind));
  if (before) {
    return isSame(before, given(answer))
      ? { toolUseId, type: 'already_answered' }
      : { toolUseId, type: 'refuse', state: { type: 'answered', with: before.type } };
  }
  if (pending?.kind === kind) return { toolUseId, type: 'send' };
  return { toolUseId, type: 'refuse', state: stateOf(pending, trace) };
}

function stateOf(pending: PendingAction | undefined, trace: CallTrace | undefined): CallState {
  if (pending) return { type: 'waits', for: pending.kind };
  const answer = trace && (answerIn(trace, 'custom_tool_result') ?? answerIn(trace, 'tool_confirmation'));
  if (answer) return { type: 'answered', with: answer.type };
  if (!trace?.call) return { type: 'unknown' };
  const permission = trace.call.evaluated_permission;
  if (permission === 'allow' || permission === 'deny') return { type: 'never_asked', permission };
  return { type: 'ended' };
}
