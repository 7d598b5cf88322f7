import { type Answers } from '../../managed-agents/respond/answer.js';
import { type ApprovalRecord, requireToolCall } from '../tool-call.js';

/** Lets the audit know who decides which calls, and how. To be called before the answers are sent: attempts count. */
export function noteApproval(
  channel: ApprovalRecord['channel'],
  toolUseIds: readonly string[],
  answers?: Answers,
): void {
  const decisions = answers && Object.fromEntries([...answers].map(([toolUseId, { type }]) => [toolUseId, type]));
  requireToolCall().approval = { channel, toolUseIds, decisions };
}
