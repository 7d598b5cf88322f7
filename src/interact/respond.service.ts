import { Injectable } from '@nestjs/common';
import { noteApproval } from '../context/call.js';
import { encodeCursor } from '../managed-agents/log/cursor-text.js';
import { type Answer, type Answers } from '../managed-agents/respond/answer.js';
import { type Responded, ResponderService } from '../managed-agents/respond/responder.service.js';
import { type HumanAnswers, HumanApproval, MAX_QUESTIONS, type Question } from '../mcp/approval/human-approval.js';
import { ToolError } from '../mcp/errors/tool-error.js';
import { WAIT } from './next-step.js';

/** Arguments of `session_respond`, already valid one by one. */
export interface Response {
  readonly session_id: string;
  readonly tool_use_id?: string;
  readonly tool_use_ids?: string[];
  readonly result?: 'allow' | 'deny';
  readonly deny_message?: string;
  readonly custom_result?: { readonly text: string; readonly is_error?: boolean };
}

type Channel = 'model' | 'human';

/** A valid response: every named call gets the same answer. */
interface Proposal {
  readonly sessionId: string;
  readonly toolUseIds: readonly string[];
  readonly proposed: Answer;
}

/** Answers calls that wait for a client, as the model says or, in mode `human`, as the person at the client decides. */
@Injectable()
export class RespondService {
  constructor(
    private readonly responder: ResponderService,
    private readonly approval: HumanApproval,
  ) {}

  async respond(response: Response): Promise<object> {
    const proposal = {
      sessionId: response.session_id,
      toolUseIds: namedCalls(response),
      proposed: proposedAnswer(response),
    };
    return this.approval.required ? this.respondByHuman(proposal) : this.send(proposal.sessionId, alike(proposal));
  }

  private async respondByHuman(proposal: Proposal): Promise<object> {
    const question: Question = proposal;
    const human = this.approval.answers(question);
    if (human) return this.sendDecided(proposal.sessionId, human);
    this.approval.requireCanAsk();
    if (proposal.toolUseIds.length > MAX_QUESTIONS) {
      throw new ToolError(
        `At most ${MAX_QUESTIONS} calls can be put to the person at once. Nothing was sent; name fewer.`,
        'too_many_questions',
      );
    }
    const answers = alike(proposal);
    const checked = await this.responder.check(proposal.sessionId, answers);
    // Nothing is left to decide.
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
      next_step: 'The person decided nothing, so nothing was sent and the calls still wait. Ask the user how to go on.',
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
    next_step: stillPending.length > 0 ? `Other calls still wait: answer them too. Then: ${WAIT}` : WAIT,
  };
}

function alike({ toolUseIds, proposed }: Proposal): Answers {
  return new Map(toolUseIds.map((toolUseId) => [toolUseId, proposed]));
}

function namedCalls({ tool_use_id, tool_use_ids }: Response): string[] {
  const all = [...(tool_use_id === undefined ? [] : [tool_use_id]), ...(tool_use_ids ?? [])];
  if (all.length > 0) return [...new Set(all)];
  throw invalid('tool_use_id or tool_use_ids is required: the ids are in pending_actions of session_get.');
}

function proposedAnswer({ result, deny_message, custom_result }: Response): Answer {
  if (result !== undefined && custom_result) {
    throw invalid(
      'result and custom_result exclude each other: result for tool_confirmation, custom_result for custom_tool_result.',
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
