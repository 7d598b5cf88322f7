import { Injectable } from '@nestjs/common';
import { type InputEvent, SessionsService } from '../managed-agents/sessions.service.js';
import { ToolError } from '../mcp/errors/tool-error.js';

const FOLLOW = 'Follow with session_events(session_id, since), then session_get until turn is "over" or it needs you.';

/** Arguments of `session_respond`, already valid one by one. */
export interface Response {
  readonly session_id: string;
  readonly tool_use_id?: string;
  readonly tool_use_ids?: string[];
  readonly result: 'allow' | 'deny';
  readonly deny_message?: string;
}

/** Talks to sessions. Every method is one send, which the API takes whole or not at all. */
@Injectable()
export class InteractService {
  constructor(private readonly sessions: SessionsService) {}

  async message(sessionId: string, text: string): Promise<object> {
    await this.sessions.send(sessionId, [userMessage(text)]);
    return { ok: true, session_id: sessionId, next_step: FOLLOW };
  }

  async interrupt(sessionId: string, thenMessage?: string): Promise<object> {
    const redirected = thenMessage !== undefined && thenMessage !== '';
    await this.sessions.send(sessionId, [
      { type: 'user.interrupt' },
      ...(redirected ? [userMessage(thenMessage)] : []),
    ]);
    return {
      ok: true,
      session_id: sessionId,
      redirected,
      next_step: redirected ? FOLLOW : 'The agent stops shortly. Call session_get until turn is "over".',
    };
  }

  async respond(response: Response): Promise<object> {
    const { session_id, result } = response;
    const toolUseIds = answeredIds(response);
    if (result === 'allow' && response.deny_message) {
      throw new ToolError('deny_message goes only with result "deny". Nothing was sent.', 'invalid_response');
    }
    const confirmations = toolUseIds.map<InputEvent>((tool_use_id) => ({
      type: 'user.tool_confirmation',
      tool_use_id,
      result,
      ...(response.deny_message && { deny_message: response.deny_message }),
    }));
    await this.sessions.send(session_id, confirmations);
    return { ok: true, session_id, result, tool_use_ids: toolUseIds, next_step: FOLLOW };
  }
}

function answeredIds({ tool_use_id, tool_use_ids }: Response): string[] {
  const all = [...(tool_use_id === undefined ? [] : [tool_use_id]), ...(tool_use_ids ?? [])];
  if (all.length > 0) return [...new Set(all)];
  throw new ToolError(
    'tool_use_id or tool_use_ids is required: the ids are in pending_actions of session_get.',
    'invalid_response',
  );
}

function userMessage(text: string): InputEvent {
  return { type: 'user.message', content: [{ type: 'text', text }] };
}
