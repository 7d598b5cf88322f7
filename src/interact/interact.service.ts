import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { EventLogService } from '../managed-agents/event-log.service.js';
import { awaiting } from '../managed-agents/log/cursor.js';
import { encodeCursor } from '../managed-agents/log/cursor-text.js';
import { type Turn } from '../managed-agents/log/situation.js';
import { type InputEvent, SessionsService } from '../managed-agents/sessions.service.js';
import { id, MAX_MESSAGE_CHARS } from '../mcp/arguments.js';
import { type Input, ToolInput } from '../mcp/tool-input.js';
import { ToolError } from '../mcp/errors/tool-error.js';

/** The next call after an input was sent. */
export const WAIT = 'Call session_wait(session_id, since=next_since).';

const MAX_DESCRIPTION_CHARS = 100_000;
/** Limits of the API for outcomes. */
const MAX_RUBRIC_CHARS = 262_144;
const MAX_ITERATIONS = 20;

const outcome = z.strictObject({
  description: z.string().min(1).max(MAX_DESCRIPTION_CHARS).describe('What to produce.'),
  rubric: z.string().min(1).max(MAX_RUBRIC_CHARS).describe('How it is graded.'),
  max_iterations: z.int().min(1).max(MAX_ITERATIONS).optional().describe('Default: 3.'),
});

export const messageInput = new ToolInput(
  {
    session_id: id('Session to talk to.', 'sesn_01...'),
    text: z.string().min(1).max(MAX_MESSAGE_CHARS).optional().describe('What to tell the agent.'),
    outcome: outcome.optional().describe('Instead of text: a goal that is graded, and revised until it is reached.'),
  },
  [
    { session_id: 'sesn_01...', text: 'Now write the tests.' },
    { session_id: 'sesn_01...', outcome: { description: 'A working build.', rubric: 'All tests pass.' } },
  ],
);

export const interruptInput = new ToolInput(
  {
    session_id: id('Session to stop.', 'sesn_01...'),
    then_message: z
      .string()
      .max(MAX_MESSAGE_CHARS)
      .optional()
      .describe('New direction, sent together with the interrupt.'),
  },
  [{ session_id: 'sesn_01...' }, { session_id: 'sesn_01...', then_message: 'Use the other branch.' }],
);

const sent = { ok: z.boolean(), session_id: z.string(), next_since: z.string(), next_step: z.string() };
export const messageOutput = z.object(sent);
export const interruptOutput = z.object({ ...sent, was_running: z.boolean(), redirected: z.boolean() });

type Message = Input<typeof messageInput>;
type Outcome = NonNullable<Message['outcome']>;

/** Sends input to sessions and interrupts them. Every method is one request, which the API accepts whole or not at all. */
@Injectable()
export class InteractService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
  ) {}

  async message({ session_id, text, outcome }: Message): Promise<z.infer<typeof messageOutput>> {
    const nextSince = await this.send(session_id, [inputOf(text, outcome)]);
    return { ok: true, session_id, next_since: nextSince, next_step: WAIT };
  }

  async interrupt({
    session_id: sessionId,
    then_message: thenMessage,
  }: Input<typeof interruptInput>): Promise<z.infer<typeof interruptOutput>> {
    const { turn } = await this.log.situation(sessionId);
    const redirected = thenMessage !== undefined;
    const wasRunning = !AT_REST.has(turn);
    const nextSince = await this.send(sessionId, [
      { type: 'user.interrupt' },
      ...(redirected ? [userMessage(thenMessage)] : []),
    ]);
    return {
      ok: true,
      session_id: sessionId,
      was_running: wasRunning,
      redirected,
      next_since: nextSince,
      next_step: afterInterrupt(wasRunning, redirected),
    };
  }

  /** Returns the cursor from before the request. It awaits the last input, except an interrupt: that may not be stored. */
  private async send(sessionId: string, events: InputEvent[]): Promise<string> {
    const before = await this.log.cursorAtEnd(sessionId);
    const accepted = (await this.sessions.send(sessionId, events)).at(-1);
    return encodeCursor(accepted?.type === 'user.interrupt' ? before : awaiting(before, accepted));
  }
}

/** Turns in which an interrupt finds nothing to stop. */
const AT_REST: ReadonlySet<Turn> = new Set<Turn>(['not_started', 'over', 'budget_reached', 'terminated']);

function afterInterrupt(wasRunning: boolean, redirected: boolean): string {
  if (wasRunning) return redirected ? WAIT : `The agent stops shortly. ${WAIT}`;
  if (redirected) return `Nothing was running, so nothing was stopped; the message starts a new turn. ${WAIT}`;
  return 'Nothing was running, so nothing was stopped. Send work with session_message, or end the session with session_archive.';
}

/** The API takes no message beside an outcome: its description is the task. */
function inputOf(text: string | undefined, outcome: Outcome | undefined): InputEvent {
  if (text && !outcome) return userMessage(text);
  if (outcome && !text) return defineOutcome(outcome);
  throw new ToolError(
    outcome
      ? 'text and outcome cannot be combined: put the whole task into outcome.description. Nothing was sent.'
      : 'text is required: the message for the agent (or outcome, for a goal that is graded). Nothing was sent.',
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
