import { type PendingAction } from '../../managed-agents/log/situation.js';
import { parseTime } from '../../managed-agents/log/time.js';
import { oldestFirst, type Place, placeOf, type Position, START } from './approval-position.js';
import { type Candidate } from './candidates.js';
import { type Session } from '../../managed-agents/sessions.service.js';
import { pendingActionView } from '../../mcp/result/views.js';
import { truncate } from '../../mcp/result/truncate.js';

export interface PageBounds {
  /** Most entries. */
  readonly limit: number;
  /** Most characters of JSON, for all entries together. */
  readonly maxChars: number;
}

/** The entries of one answer, filled in order, and the position that was reached. */
export class ApprovalPage {
  readonly approvals: object[] = [];
  position: Position;
  private chars = 0;

  constructor(
    private readonly bounds: PageBounds,
    private readonly start: Position = START,
  ) {
    this.position = start;
  }

  get isFull(): boolean {
    return this.approvals.length >= this.bounds.limit;
  }

  /** Takes what waits in the next session, as far as there is room; says whether that was everything. */
  add({ session, place }: Candidate, pending: readonly PendingAction[]): boolean {
    for (const { action, place: call } of this.undelivered(place, pending)) {
      if (!this.take(approvalView(session, action))) return false;
      this.position = { session: place, call };
    }
    this.position = { session: place };
    return true;
  }

  /** One entry always has room, however large, so that every page makes progress; the result as a whole is cut later. */
  private take(approval: object): boolean {
    const chars = JSON.stringify(approval).length + 1;
    const fits = this.approvals.length === 0 || this.chars + chars <= this.bounds.maxChars;
    if (this.isFull || !fits) return false;
    this.approvals.push(approval);
    this.chars += chars;
    return true;
  }

  private undelivered(session: Place, pending: readonly PendingAction[]) {
    const { session: startSession, call: delivered } = this.start;
    const isContinued = session.time === startSession.time && session.tieBreak === startSession.tieBreak;
    return pending
      .map((action) => ({ action, place: callPlace(action) }))
      .filter(({ place }) => !isContinued || !delivered || oldestFirst(place, delivered) > 0)
      .sort((a, b) => oldestFirst(a.place, b.place));
  }
}

/** A call whose event was not found has no time and comes first. */
function callPlace({ toolUseId, since }: PendingAction): Place {
  return placeOf(toolUseId, (since === undefined ? undefined : parseTime(since)) ?? 0);
}

/** Longest input shown in a list, in characters of JSON; `session_get` shows more of it. */
const MAX_INPUT_CHARS = 600;
const MAX_NAME_CHARS = 120;

/** One entry of `approval_list`. All texts in it were written by agents, users and MCP servers. */
export function approvalView({ id, title, agent }: Session, action: PendingAction): object {
  return {
    session_id: id,
    title: short(title ?? undefined) ?? null,
    agent: { id: agent.id, name: short(agent.name) },
    ...pendingActionView(action, MAX_INPUT_CHARS),
    tool: short(action.tool),
    mcp_server: short(action.mcpServer),
  };
}

function short(text: string | undefined): string | undefined {
  return text === undefined ? undefined : truncate(text, MAX_NAME_CHARS);
}
