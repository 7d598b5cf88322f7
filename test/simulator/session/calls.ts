import type { WireEvent } from '../wire.js';

export type CallKind = 'tool' | 'mcp' | 'custom';

export interface Call {
  readonly id: string;
  readonly kind: CallKind;
  readonly name: string;
  readonly threadId: string;
  permission?: string;
  /** The id under which the session's log shows it: another one when it was cross-posted. */
  postedId: string;
  confirmation?: { result: 'allow' | 'deny'; denyMessage?: string };
  result?: { text: string; isError: boolean };
  /** Whether an answer was accepted that still waits in the queue. */
  answerQueued: boolean;
}

const KINDS: Record<string, CallKind> = {
  'agent.tool_use': 'tool',
  'agent.mcp_tool_use': 'mcp',
  'agent.custom_tool_use': 'custom',
};

/** Every tool call of a session and what became of it, read off the events as they are recorded. */
export class Calls {
  private readonly byId = new Map<string, Call>();

  find(id: string): Call | undefined {
    return this.byId.get(id);
  }

  observe(event: WireEvent, threadId: string): void {
    const kind = KINDS[event.type];
    if (kind) this.open(kind, event, threadId);
    else this.close(event);
  }

  /** The calls among `ids` that still lack what only a client can give. */
  waiting(ids: readonly string[]): Call[] {
    return ids.flatMap((id) => {
      const call = this.byId.get(id);
      const answered = call?.result ?? (call?.permission === 'ask' ? call.confirmation : undefined);
      return call && !answered ? [call] : [];
    });
  }

  crossPost(call: Call, postedId: string): void {
    call.postedId = postedId;
    this.byId.set(postedId, call);
  }

  private open(kind: CallKind, event: WireEvent, threadId: string): void {
    if (this.byId.has(event.id)) return;
    const call: Call = {
      id: event.id,
      kind,
      name: String(event.name),
      threadId: (event.session_thread_id as string | undefined) ?? threadId,
      permission: event.evaluated_permission as string | undefined,
      postedId: event.id,
      answerQueued: false,
    };
    this.byId.set(call.id, call);
  }

  private close(event: WireEvent): void {
    const id = event.tool_use_id ?? event.mcp_tool_use_id ?? event.custom_tool_use_id;
    const call = this.byId.get(String(id));
    if (!call || !event.processed_at) return;
    if (event.type === 'user.tool_confirmation') {
      const denyMessage = event.deny_message as string | undefined;
      call.confirmation = { result: event.result as 'allow' | 'deny', denyMessage };
      call.answerQueued = false;
    } else {
      call.answerQueued = false;
      call.result ??= { text: textOf(event.content), isError: event.is_error === true };
    }
  }
}

/** The text blocks of a message or result as one string. */
export function textOf(content: unknown): string {
  if (!Array.isArray(content)) return '';
  return (content as { type?: string; text?: string }[])
    .filter((block) => block.type === 'text')
    .map((block) => block.text)
    .join('');
}
