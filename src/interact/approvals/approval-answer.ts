import { apiErrorMessage } from '../../mcp/errors/api-error-message.js';
import { type ApprovalPage } from './approval-page.js';
import { type ApprovalSearch, type Stop } from './approval-search.js';

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
  if (stop === 'full') return 'The page is full; more may wait. Go on with page set to next_page.';
  if (stop === 'bounds')
    return `Stopped after ${sessions} to spare the API; approvals in older sessions are not listed yet. Go on with page set to next_page.`;
  return `Stopped after ${sessions}; go on later with page set to next_page. ${apiErrorMessage(stop)}`;
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
      'Those of kind tool_result wait for the worker of a self-hosted environment; session_interrupt gives up on them.',
    entries.some(({ input_truncated }) => input_truncated) &&
      'Where input_truncated is true, the whole input is in session_events with format detailed.',
  ];
  return steps.filter(Boolean).join(' ');
}
