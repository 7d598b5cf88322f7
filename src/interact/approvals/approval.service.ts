import { Injectable, Logger } from '@nestjs/common';
import { ServerSettings } from '../../config/server.settings.js';
import { ApiError } from '../../managed-agents/api-error.js';
import { EventLogService } from '../../managed-agents/event-log.service.js';
import { SessionsService } from '../../managed-agents/sessions.service.js';
import { ToolError } from '../../mcp/errors/tool-error.js';
import { requireToolCall } from '../../context/call.js';
import { principalId } from '../../context/principal.js';
import { SealedTokens, type TokenUse } from '../../tokens/sealed-tokens.js';
import { id, pageArguments } from '../../mcp/arguments.js';
import { type Input, ToolInput } from '../../mcp/tool-input.js';
import { ResourceAccess } from '../../mcp/access.js';
import { ApprovalPage } from './approval-page.js';
import { contentOf, type Position, positionOf } from './approval-position.js';
import { ApprovalSearch, type Stop } from './approval-search.js';
import { Candidates } from './candidates.js';
import { SettledSessions } from './settled-sessions.js';
import { apiErrorMessage } from '../../mcp/errors/api-error-message.js';

const { limit, page } = pageArguments;

export const approvalListInput = new ToolInput({
  agent_id: id('Only sessions of this agent.').optional(),
  limit,
  page,
});

/** Reserved for the page cursor, the counts, and two or three sentences. */
const ENVELOPE_CHARS = 1600;

/** Finds the pending tool calls of all sessions. */
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

  async list({ agent_id, limit, page }: Input<typeof approvalListInput>): Promise<object> {
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

/**
 * The answer of `approval_list`. `complete` says that nothing else waits than this page and those before it show; it
 * can be false on the last page, too, when a log could not be read far enough.
 */
export function approvalAnswer(
  page: ApprovalPage,
  search: Pick<ApprovalSearch, 'examined' | 'unfinishedLogs' | 'unreadable'>,
  stop: Stop,
  sealPage: (position: ApprovalPage['position']) => string,
): object {
  const hasMore = stop !== 'end';
  const note = [whyStopped(stop, search.examined), whatIsUnknown(search.unfinishedLogs)].filter(Boolean).join(' ');
  const { approvals, position } = page;
  return {
    approvals,
    count: approvals.length,
    has_more: hasMore,
    next_page: hasMore ? sealPage(position) : null,
    sessions_examined: search.examined,
    complete: !hasMore && search.unfinishedLogs === 0 && search.unreadable === 0,
    ...(search.unreadable > 0 && { unreadable: search.unreadable }),
    ...(note && { note }),
    ...(approvals.length > 0 && { next_step: nextStep(approvals) }),
  };
}

function whyStopped(stop: Stop, examined: number): string {
  const sessions = `${examined} session${examined === 1 ? '' : 's'}`;
  if (stop === 'end') return '';
  if (stop === 'full')
    return 'The page is full and there may be more. Call approval_list again with page set to next_page.';
  if (stop === 'bounds')
    return `Stopped after ${sessions} to limit requests to the API; approvals in older sessions are not listed yet. Call approval_list again with page set to next_page.`;
  return `Stopped after ${sessions}; call approval_list again later with page set to next_page. ${apiErrorMessage(stop)}`;
}

function whatIsUnknown(unfinishedLogs: number): string {
  if (unfinishedLogs === 0) return '';
  return `The logs of ${unfinishedLogs} of the sessions are too long to be read back to the start of their turn; older calls may be missing.`;
}

function nextStep(approvals: readonly object[]): string {
  const entries = approvals as { readonly kind: string; readonly input_truncated?: boolean }[];
  const steps = [
    entries.some(({ kind }) => kind !== 'tool_result') &&
      'Show the user each session, tool and input, and answer as the user decides with session_respond(session_id, tool_use_id).',
    entries.some(({ kind }) => kind === 'tool_result') &&
      'Those of kind tool_result wait for the worker of a self-hosted environment; to stop waiting, call session_interrupt.',
    entries.some(({ input_truncated }) => input_truncated) &&
      'If input_truncated is true, session_events with format detailed has the whole input.',
  ];
  return steps.filter(Boolean).join(' ');
}
