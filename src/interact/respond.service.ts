import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { noteApproval } from '../context/call.js';
import { encodeCursor } from '../managed-agents/log/cursor-text.js';
import { type Answer, type Answers } from '../managed-agents/respond/answer.js';
import { type Responded, ResponderService } from '../managed-agents/respond/responder.service.js';
import { type HumanAnswers, HumanApproval, MAX_QUESTIONS, type Question } from '../mcp/approval/human-approval.js';
import { id, ids } from '../mcp/arguments.js';
import { type Input, ToolInput } from '../mcp/tool-input.js';
import { ToolError } from '../mcp/errors/tool-error.js';
import { WAIT } from './interact.service.js';

const MAX_DENY_MESSAGE_CHARS = 10_000;
const MAX_RESULT_CHARS = 100_000;
const MAX_RESPONSES = 50;

const customResult = z.strictObject({
  text: z.string().max(MAX_RESULT_CHARS),
  is_error: z.boolean().optional().describe('The tool failed; text says why.'),
});

export const respondInput = new ToolInput(
  {
    session_id: id('Session that asks.', 'sesn_01...'),
    tool_use_id: id('The call to answer: a tool_use_id of pending_actions.', 'sevt_01...').optional(),
    tool_use_ids: ids('Several calls to answer alike.', MAX_RESPONSES, 'sevt_01...').optional(),
    result: z.enum(['allow', 'deny']).optional().describe('For kind tool_confirmation.'),
    deny_message: z.string().max(MAX_DENY_MESSAGE_CHARS).optional().describe('Why, for the agent; only with deny.'),
    custom_result: customResult.optional().describe('For kind custom_tool_result, instead of result.'),
  },
  [
    { session_id: 'sesn_01...', tool_use_id: 'sevt_01...', result: 'allow' },
    { session_id: 'sesn_01...', tool_use_ids: ['sevt_01...'], result: 'deny', deny_message: 'Not on production.' },
  ],
);

type RespondRequest = Input<typeof respondInput>;

type Channel = 'model' | 'human';

/** A valid response: every named call gets the same answer. */
interface Proposal {
  readonly sessionId: string;
  readonly toolUseIds: readonly string[];
  readonly proposed: Answer;
}

/** Answers pending tool calls: as the model decides or, in mode `human`, as the person at the client decides. */
@Injectable()
export class RespondService {
  constructor(
    private readonly responder: ResponderService,
    private readonly approval: HumanApproval,
  ) {}

  async respond(request: RespondRequest): Promise<object> {
    const proposal = {
      sessionId: request.session_id,
      toolUseIds: namedCalls(request),
      proposed: proposedAnswer(request),
    };
    return this.approval.required ? this.respondByHuman(proposal) : this.send(proposal.sessionId, alike(proposal));
  }

  private async respondByHuman(proposal: Proposal): Promise<object> {
    const question: Question = proposal;
    const human = await this.approval.answers(question);
    if (human) return this.sendDecided(proposal.sessionId, human);
    this.approval.requireCanAsk();
    if (proposal.toolUseIds.length > MAX_QUESTIONS) {
      throw new ToolError(
        `A person can be asked about at most ${MAX_QUESTIONS} calls at once. Nothing was sent. Name fewer calls.`,
        'too_many_questions',
      );
    }
    const answers = alike(proposal);
    const checked = await this.responder.check(proposal.sessionId, answers);
    // All of them are answered already.
    if (checked.open.length === 0) return report({ ...proposal, answers, channel: 'model' }, checked);
    return this.approval.ask(question, checked.open, await this.responder.namesOf(proposal.sessionId));
  }

  private async sendDecided(sessionId: string, { answers, withheld }: HumanAnswers): Promise<object> {
    const notSent = [...withheld].map(([tool_use_id, why]) => ({ tool_use_id, why }));
    if (answers.size > 0) {
      const sent = await this.send(sessionId, answers, 'human');
      return { ...sent, ...(notSent.length > 0 && { not_sent: notSent }) };
    }
    noteApproval('human', [...withheld.keys()]);
    return {
      ok: false,
      session_id: sessionId,
      decided_by: 'human',
      tool_use_ids: [],
      not_sent: notSent,
      next_step: 'No decision was made, so nothing was sent; the calls are still pending. Ask the user how to go on.',
    };
  }

  private async send(sessionId: string, answers: Answers, channel: Channel = 'model'): Promise<object> {
    noteApproval(channel, [...answers.keys()], answers);
    return report({ sessionId, answers, channel }, await this.responder.answer(sessionId, answers));
  }
}

interface Sent {
  readonly sessionId: string;
  readonly answers: Answers;
  readonly channel: Channel;
}

function report({ sessionId, answers, channel }: Sent, responded: Responded): object {
  const { sent, alreadyAnswered, stillPending, cursor } = responded;
  const decisions = Object.fromEntries([...answers].map(([toolUseId, { type }]) => [toolUseId, type]));
  return {
    ok: true,
    session_id: sessionId,
    ...(channel === 'model' ? { result: Object.values(decisions)[0] } : { decided_by: 'human', decisions }),
    tool_use_ids: sent,
    ...(alreadyAnswered.length > 0 && { already_answered: alreadyAnswered }),
    still_pending: stillPending.map(({ toolUseId }) => toolUseId),
    next_since: encodeCursor(cursor),
    next_step: stillPending.length > 0 ? `Other calls are still pending: answer them too. Then: ${WAIT}` : WAIT,
  };
}

function alike({ toolUseIds, proposed }: Proposal): Answers {
  return new Map(toolUseIds.map((toolUseId) => [toolUseId, proposed]));
}

function namedCalls({ tool_use_id, tool_use_ids }: RespondRequest): string[] {
  const all = [...(tool_use_id === undefined ? [] : [tool_use_id]), ...(tool_use_ids ?? [])];
  if (all.length > 0) return [...new Set(all)];
  throw invalid('tool_use_id or tool_use_ids is required: the ids are in pending_actions of session_get.');
}

function proposedAnswer({ result, deny_message, custom_result: given }: RespondRequest): Answer {
  // An empty text is the result of a custom tool that returned nothing; beside a decision it fills an unused argument.
  const custom_result = result !== undefined && given?.text === '' && !given.is_error ? undefined : given;
  if (result !== undefined && custom_result) {
    throw invalid(
      'result and custom_result cannot be combined: give result for kind tool_confirmation, custom_result for kind custom_tool_result.',
    );
  }
  if (deny_message && result !== 'deny') throw invalid('deny_message goes only with result "deny".');
  if (custom_result) {
    return { type: 'custom_result', text: custom_result.text, isError: custom_result.is_error ?? false };
  }
  if (result === 'allow') return { type: 'allow' };
  if (result === 'deny') return { type: 'deny', ...(deny_message && { message: deny_message }) };
  throw invalid('result is required: allow or deny, or custom_result for the call of a custom tool.');
}

function invalid(message: string): ToolError {
  return new ToolError(`${message} Nothing was sent.`, 'invalid_response');
}
