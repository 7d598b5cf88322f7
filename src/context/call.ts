import { principalId } from './principal.js';
import { currentRequest, currentRequestId } from './request.js';
import { type ApprovalDecision, type ApprovalRecord, store, type ToolCall, type ToolCallOutcome } from './store.js';

export { type ApprovalRecord, type CallClient, type ToolCall, type ToolCallOutcome } from './store.js';

/** What is known of a call before anything was done for it. */
type NewCall = Pick<
  ToolCall,
  'tool' | 'isKnownTool' | 'principal' | 'arguments' | 'client' | 'draining' | 'ended' | 'deadline'
>;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The record of a call that begins now, within the current request. */
export function newToolCall(known: NewCall): ToolCall {
  return {
    ...known,
    requestId: currentRequestId(),
    caller: principalId(known.principal),
    deadline: known.deadline ?? currentRequest()?.deadline,
    upstreamRequestIds: [],
    outcome: 'ok',
    onEnd: [],
  };
}

/** Runs `work` as this call. A call that throws and was not ended otherwise has failed. */
export function runToolCall<T>(call: ToolCall, work: () => Promise<T>): Promise<T> {
  return store.run({ request: call, call, trace: store.getStore()?.trace }, async () => {
    try {
      return await work();
    } catch (error) {
      if (call.outcome === 'ok') endCall('failed');
      throw error;
    }
  });
}

/** The tool call this code runs for; undefined outside of one. */
export function currentToolCall(): ToolCall | undefined {
  return store.getStore()?.call;
}

/** The tool call this code runs for. Tools are never called outside of one. */
export function requireToolCall(): ToolCall {
  const call = currentToolCall();
  if (!call) throw new Error('not within a tool call');
  return call;
}

/**
 * Says how the running call ended, and why; without it, a call that returns ended `ok`. The last one counts, because a
 * call can fail after a question was put to a person. The only writer of both fields; does nothing outside of a call.
 *
 * @param reason the rule that refused, or the kind of failure; never text that a caller or an agent wrote
 */
export function endCall(outcome: ToolCallOutcome, reason?: string): void {
  change({ outcome, reason });
}

/** Records who decides which calls of agents, and how. To be called before the answers are sent: attempts count. */
export function noteApproval(
  channel: ApprovalRecord['channel'],
  toolUseIds: readonly string[],
  answers?: ReadonlyMap<string, { readonly type: ApprovalDecision }>,
): void {
  const decisions = answers && Object.fromEntries([...answers].map(([toolUseId, { type }]) => [toolUseId, type]));
  change({ approval: { channel, toolUseIds, decisions } });
}

/** Ends the running call with a question to a person. A call can bring answers and ask again: its record keeps both. */
export function endCallAsking(asked: readonly string[]): void {
  const { toolUseIds = [], decisions } = currentToolCall()?.approval ?? {};
  change({ approval: { channel: 'human', toolUseIds: [...toolUseIds, ...asked], decisions } });
  endCall('asked');
}

/** Records the session that the running call created. */
export function noteSessionStarted(createdSessionId: string, budgetUsd: number | undefined): void {
  change({ createdSessionId, budgetUsd });
}

/** Records which arguments of the running call its tool does not know and left out. */
export function noteIgnoredArguments(names: readonly string[]): void {
  change({ ignoredArguments: names });
}

type Changing = 'outcome' | 'reason' | 'approval' | 'createdSessionId' | 'budgetUsd' | 'ignoredArguments';

function change(fields: Partial<Pick<ToolCall, Changing>>): void {
  const call: Writable<ToolCall> | undefined = currentToolCall();
  if (call) Object.assign(call, fields);
}
