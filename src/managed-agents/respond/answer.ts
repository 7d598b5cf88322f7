import { hash } from 'node:crypto';
import { type LogEvent } from '../log/event.js';
import { type PendingAction } from '../log/pending.js';
import { type CallTrace } from '../log/situation-reader.js';
import { type InputEvent } from '../sessions.service.js';

/** An answer of a client to a pending call. */
export type Answer =
  | { readonly type: 'allow' }
  | { readonly type: 'deny'; readonly message?: string }
  | { readonly type: 'custom_result'; readonly text: string; readonly isError: boolean };

/** The answers of one send, by the id of the call. */
export type Answers = ReadonlyMap<string, Answer>;

/** An answer that was given, reduced to what a comparison needs. */
export interface GivenAnswer {
  readonly type: Answer['type'];
  /** Digest of a custom result, because its text can be large. */
  readonly digest?: string;
}

/** The kind of pending action that an answer answers. */
export function kindOf(type: Answer['type']): PendingAction['kind'] {
  return type === 'custom_result' ? 'custom_tool_result' : 'tool_confirmation';
}

/** The event that carries an answer. */
export function toEvent(toolUseId: string, answer: Answer): InputEvent {
  if (answer.type === 'custom_result') {
    return {
      type: 'user.custom_tool_result',
      custom_tool_use_id: toolUseId,
      content: answer.text === '' ? [] : [{ type: 'text', text: answer.text }],
      is_error: answer.isError,
    };
  }
  const message = answer.type === 'deny' ? answer.message : undefined;
  return {
    type: 'user.tool_confirmation',
    tool_use_id: toolUseId,
    result: answer.type,
    ...(message && { deny_message: message }),
  };
}

export function given(answer: Answer): GivenAnswer {
  return answer.type === 'custom_result'
    ? { type: answer.type, digest: digestOf(answer.text, answer.isError) }
    : { type: answer.type };
}

/** Whether both are the same decision. The message of a denial is ignored: it cannot be changed afterwards. */
export function isSame(one: GivenAnswer, other: GivenAnswer): boolean {
  return one.type === other.type && one.digest === other.digest;
}

/** The answer of this kind that the log holds for a call. */
export function answerIn(trace: CallTrace, kind: PendingAction['kind']): GivenAnswer | undefined {
  const { confirmation, customResult } = trace;
  if (kind === 'tool_confirmation') {
    return confirmation && { type: confirmation.result === 'allow' ? 'allow' : 'deny' };
  }
  return (
    customResult && {
      type: 'custom_result',
      digest: digestOf(textOf(customResult), customResult.is_error === true),
    }
  );
}

/** The text of a result. A result with other blocks never equals one that this server sent. */
function textOf({ content }: LogEvent): string {
  if (!Array.isArray(content)) return '';
  return (content as { text?: unknown }[])
    .map((block) => (typeof block?.text === 'string' ? block.text : JSON.stringify(block)))
    .join('');
}

function digestOf(text: string, isError: boolean): string {
  return hash('sha256', `${isError ? 'error' : 'result'}:${text}`, 'base64url');
}

/** Why a call cannot be answered as requested. */
export type CallState =
  /** It waits for another kind of answer. */
  | { readonly type: 'waits'; readonly for: Exclude<PendingAction['kind'], 'unknown'> }
  /** It already has a different answer. */
  | { readonly type: 'answered'; readonly with: GivenAnswer['type'] }
  /** The agent's permission policy decided it without asking. */
  | { readonly type: 'never_asked'; readonly permission: 'allow' | 'deny' }
  /** It was stopped, or its turn or thread ended. */
  | { readonly type: 'ended' }
  /** It is pending, but its event was not found, so it is not known what it would do. */
  | { readonly type: 'unseen' }
  /** This session has no such call. */
  | { readonly type: 'unknown' };

/** What to do with one answer: send it, skip it because the call has the same answer, or refuse it. */
export type Verdict =
  | { readonly toolUseId: string; readonly type: 'send' | 'already_answered' }
  | { readonly toolUseId: string; readonly type: 'refuse'; readonly state: CallState };

/** Everything known about one call. */
export interface CallKnowledge {
  /** Set while the call is pending. */
  readonly pending?: PendingAction;
  /** The answer that this process sent recently; the list of events may not show it yet. */
  readonly remembered?: GivenAnswer;
  readonly trace?: CallTrace;
}

/** Decides what to do with one answer. */
export function judge(toolUseId: string, answer: Answer, { pending, remembered, trace }: CallKnowledge): Verdict {
  const kind = kindOf(answer.type);
  const before = remembered ?? (trace && answerIn(trace, kind));
  if (before) {
    return isSame(before, given(answer))
      ? { toolUseId, type: 'already_answered' }
      : { toolUseId, type: 'refuse', state: { type: 'answered', with: before.type } };
  }
  // A call that cannot be shown can be denied only.
  const isAccepted = pending?.kind === 'unknown' ? answer.type === 'deny' : pending?.kind === kind;
  if (isAccepted) return { toolUseId, type: 'send' };
  return { toolUseId, type: 'refuse', state: stateOf(pending, trace) };
}

function stateOf(pending: PendingAction | undefined, trace: CallTrace | undefined): CallState {
  if (pending?.kind === 'unknown') return { type: 'unseen' };
  if (pending) return { type: 'waits', for: pending.kind };
  const answer = trace && (answerIn(trace, 'custom_tool_result') ?? answerIn(trace, 'tool_confirmation'));
  if (answer) return { type: 'answered', with: answer.type };
  if (!trace?.call) return { type: 'unknown' };
  const permission = trace.call.evaluated_permission;
  if (permission === 'allow' || permission === 'deny') return { type: 'never_asked', permission };
  return { type: 'ended' };
}
