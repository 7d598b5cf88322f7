import { Injectable, Logger } from '@nestjs/common';
import { ServerSettings } from '../../config/server.settings.js';
import { ApiError } from '../../managed-agents/api-error.js';
import { EventLogService } from '../../managed-agents/event-log.service.js';
import { SessionsService } from '../../managed-agents/sessions.service.js';
import { ToolError } from '../../mcp/errors/tool-error.js';
import { requireToolCall } from '../../context/call.js';
import { principalId } from '../../context/principal.js';
import { SealedTokens, type TokenUse } from '../../tokens/sealed-tokens.js';
import { ResourceAccess } from '../../mcp/access.js';
import { approvalAnswer } from './approval-answer.js';
import { ApprovalPage } from './approval-page.js';
import { contentOf, type Position, positionOf } from './approval-position.js';
import { ApprovalSearch } from './approval-search.js';
import { Candidates } from './candidates.js';
import { SettledSessions } from './settled-sessions.js';

/** Arguments of `approval_list`, already valid one by one. */
export interface ApprovalsRequest {
  readonly agent_id?: string;
  readonly limit: number;
  readonly page?: string;
}

/** Room the answer needs beside its entries: page cursor, counts, and two or three sentences. */
const ENVELOPE_CHARS = 1600;

/** Finds everything that waits for somebody outside, in all sessions. */
@Injectable()
export class ApprovalService {
  private readonly logger = new Logger('Approvals');
  private readonly maxChars: number;
  private readonly settled = new SettledSessions();

  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
    private readonly access: ResourceAccess,
    private readonly tokens: SealedTokens,
    settings: ServerSettings,
  ) {
    this.maxChars = settings.maxResultChars - ENVELOPE_CHARS;
  }

  async list({ agent_id, limit, page }: ApprovalsRequest): Promise<object> {
    const start = page === undefined ? undefined : this.open(page, agent_id);
    const filled = new ApprovalPage({ limit, maxChars: this.maxChars }, start);
    const candidates = new Candidates(this.sessions, agent_id, start, (session) =>
      this.access.mayReachSession(session),
    );
    const search = new ApprovalSearch(this.log, this.settled, candidates, filled);
    const stop = await search.run();
    if (stop instanceof ApiError) {
      if (search.examined === 0 && filled.approvals.length === 0) throw stop;
      this.logStop(stop);
    }
    return approvalAnswer(filled, search, stop, (position) => this.tokens.seal(contentOf(position), pageOf(agent_id)));
  }

  private open(page: string, agentId: string | undefined): Position {
    const position = positionOf(this.tokens.open(page, pageOf(agentId)));
    if (position) return position;
    throw new ToolError(
      'page is not a next_page of approval_list for this agent_id: pass next_page unchanged and agent_id as before, or leave page out to begin again.',
      'invalid_page',
    );
  }

  /** The caller is told in a note; the call as a whole did not fail. */
  private logStop({ details: { kind, status, requestId }, operation: { words } }: ApiError): void {
    const why = { operation: words, kind, status, upstream_request_id: requestId };
    this.logger.warn({ message: 'approval_list ended early', ...why });
  }
}

/** Bound to the agent filter, because paging on with another one would silently leave sessions out. */
function pageOf(agentId: string | undefined): TokenUse {
  return { purpose: 'page of approval_list', binding: [principalId(requireToolCall().principal), agentId] };
}
