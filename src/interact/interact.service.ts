import { Injectable } from '@nestjs/common';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { awaiting } from '../managed-agents/log/cursor.js';
import { encodeCursor } from '../managed-agents/log/cursor-text.js';
import { type InputEvent, SessionsService } from '../managed-agents/sessions.service.js';
import { ToolError } from '../mcp/errors/tool-error.js';
import { WAIT } from './next-step.js';

/** Arguments of `session_message`, already valid one by one. */
export interface Message {
  readonly session_id: string;
  readonly text?: string;
  readonly outcome?: Outcome;
}

interface Outcome {
  readonly description: string;
  readonly rubric: string;
  readonly max_iterations?: number;
}

/** Gives sessions work and stops them. Every method is one send, which the API takes whole or not at all. */
@Injectable()
export class InteractService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
  ) {}

  async message({ session_id, text, outcome }: Message): Promise<object> {
    const nextSince = await this.send(session_id, [inputOf(text, outcome)]);
    return { ok: true, session_id, next_since: nextSince, next_step: WAIT };
  }

  async interrupt(sessionId: string, thenMessage?: string): Promise<object> {
    const redirected = thenMessage !== undefined && thenMessage !== '';
    const nextSince = await this.send(sessionId, [
      { type: 'user.interrupt' },
      ...(redirected ? [userMessage(thenMessage)] : []),
    ]);
    return {
      ok: true,
      session_id: sessionId,
      redirected,
      next_since: nextSince,
      next_step: redirected ? WAIT : `The agent stops shortly. ${WAIT}`,
    };
  }

  /** Returns the cursor from before the send. It awaits the last input, but never an interrupt: that may not be stored. */
  private async send(sessionId: string, events: InputEvent[]): Promise<string> {
    const before = await this.log.cursorAtEnd(sessionId);
    const accepted = (await this.sessions.send(sessionId, events)).at(-1);
    return encodeCursor(accepted?.type === 'user.interrupt' ? before : awaiting(before, accepted));
  }
}

/** The API takes no message beside an outcome: its description is the task. */
function inputOf(text: string | undefined, outcome: Outcome | undefined): InputEvent {
  if (text && !outcome) return userMessage(text);
  if (outcome && !text) return defineOutcome(outcome);
  throw new ToolError(
    outcome
      ? 'text and outcome exclude each other: put the whole task into outcome.description. Nothing was sent.'
      : 'text is required: what to tell the agent (or outcome, for a goal that is graded). Nothing was sent.',
    'invalid_message',
  );
}

function userMessage(text: string): InputEvent {
  return { type: 'user.message', content: [{ type: 'text', text }] };
}

function defineOutcome({ description, rubric, max_iterations }: Outcome): InputEvent {
  return {
    type: 'user.define_outcome',
    description,
    rubric: { type: 'text', content: rubric },
    ...(max_iterations !== undefined && { max_iterations }),
  };
}
