import { Injectable, Logger } from '@nestjs/common';
import { ServerSettings } from '../../config/server.settings.js';
import { ApiError } from '../../managed-agents/api-error.js';
import { EventLogService } from '../../managed-agents/event-log.service.js';
import { SessionsService } from '../../managed-agents/sessions.service.js';
import { ResourceAccess } from '../../mcp/resource-access.js';
import { approvalAnswer } from './approval-answer.js';
import { ApprovalPage } from './approval-page.js';
import { decodePosition } from './approval-position.js';
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

  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
    private readonly settled: SettledSessions,
    private readonly access: ResourceAccess,
    settings: ServerSettings,
  ) {
    this.maxChars = settings.maxResultChars - ENVELOPE_CHARS;
  }

  async list({ agent_id, limit, page }: ApprovalsRequest): Promise<object> {
    const start = page === undefined ? undefined : decodePosition(page, agent_id);
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
    return approvalAnswer(filled, search, stop, agent_id);
  }

  /** The caller is told in a note; the call as a whole did not fail. */
  private logStop({ details: { operation, kind, status, requestId } }: ApiError): void {
    this.logger.warn({ message: 'approval_list ended early', operation, kind, status, upstream_request_id: requestId });
  }
}
