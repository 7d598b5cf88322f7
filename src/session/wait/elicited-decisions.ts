import { Injectable } from '@nestjs/common';
import { noteApproval } from '../../context/call.js';
import { type EventCursor } from '../../managed-agents/log/cursor.js';
import { type PendingAction } from '../../managed-agents/log/situation.js';
import { ResponderService } from '../../managed-agents/respond/responder.service.js';
import { HumanApproval } from '../../mcp/approval/human-approval.js';
import { type WaitOutcome } from './session-wait.js';

/** The decisions of the person at the client that this call carries. */
export interface Decisions {
  /** Where to wait from: calls that were just answered do not count as pending. */
  readonly since: EventCursor;
  /** The calls the person was asked about and left undecided. */
  readonly undecided: ReadonlySet<string>;
}

/** In mode `human`: asks the person at the client about the pending calls that a wait finds, instead of the model. */
@Injectable()
export class ElicitedDecisions {
  constructor(
    private readonly approval: HumanApproval,
    private readonly responder: ResponderService,
  ) {}

  /** Sends the person's decisions to the session, if this call carries any. */
  async submit(since: EventCursor): Promise<Decisions> {
    const { sessionId } = since;
    const decided = await this.approval.answers({ sessionId });
    if (!decided) return { since, undecided: new Set() };
    const { answers, withheld } = decided;
    const undecided = new Set(withheld.keys());
    noteApproval('human', [...answers.keys(), ...undecided], answers);
    if (answers.size === 0) return { since, undecided };
    const { cursor } = await this.responder.answer(sessionId, answers);
    return { since: { ...since, awaited: cursor.awaited }, undecided };
  }

  /** The question to return instead of an answer; undefined when there is nothing to ask, or no person can be asked. */
  async question({ reason, situation }: WaitOutcome, { since, undecided }: Decisions): Promise<object | undefined> {
    if (reason !== 'action_required' || !situation || !this.approval.canAsk()) return undefined;
    const isOpen = ({ kind, toolUseId }: PendingAction) => kind === 'tool_confirmation' && !undecided.has(toolUseId);
    const open = situation.pendingActions.filter(isOpen);
    if (open.length === 0) return undefined;
    const { sessionId } = since;
    return this.approval.ask({ sessionId }, open, await this.responder.namesOf(sessionId));
  }
}
