import { createHash } from 'node:crypto';
import { type LogEvent } from '../log/event.js';
import { type CallTrace } from '../log/calls.js';
import { type PendingAction } from '../log/pending.js';
import { type InputEvent } from '../sessions.service.js';

/** What a client can answer to a call that waits for one. */
export type Answer =
  | { readonly type: 'allow' }
  | { readonly type: 'deny'; readonly message?: string }
  | { readonly type: 'custom_result'; readonly text: string; readonly isError: boolean };

/** The answers of one send by the id of the call. */
export type Answers = ReadonlyMap<string, Answer>;

/** An answer that was given, as far as it takes to tell whether another one is the same. */
export interface GivenAnswer {
  readonly type: Answer['type'];
  /** Of a result; large texts are not kept. */
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

/** Whether both decide the same. The words of a denial do not matter: it cannot be given again in others. */
export function isSame(one: GivenAnswer, other: GivenAnswer): boolean {
  return one.type === other.type && one.digest === other.digest;
}

/** The answer to a call that the log holds, of the kind that is asked for. */
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

/** The text blocks of a result; with other blocks in it, it is never the same as one of ours. */
function textOf({ content }: LogEvent): string {
  if (!Array.isArray(content)) return '';
  return (content as { text?: unknown }[])
    .map((block) => (typeof block?.text === 'string' ? block.text : JSON.stringify(block)))
    .join('');
}

function digestOf(text: string, isError: boolean): string {
  return createHash('sha256')
    .update(isError ? 'error:' : 'result:')
    .update(text)
    .digest('base64url');
}
