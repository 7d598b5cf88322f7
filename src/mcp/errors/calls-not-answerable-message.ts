import { type PendingAction } from '../../managed-agents/log/pending.js';
import {
  type CallsNotAnswerableError,
  type RefusedAnswer,
} from '../../managed-agents/respond/calls-not-answerable.error.js';

const MAX_LISTED = 10;

/** What the model is told when calls cannot be answered as it asked: what is true of each, and which ones do wait. */
export function callsNotAnswerableMessage({ refused, waiting }: CallsNotAnswerableError): string {
  return [
    'Nothing was sent.',
    `${listed(refused, explain, '; ')}.`,
    waiting.length === 0
      ? 'No call of this session waits for an answer now; session_get tells what it is doing.'
      : `Waiting now: ${listed(waiting, describe, ', ')}.`,
  ].join(' ');
}

function listed<T>(items: readonly T[], text: (item: T) => string, separator: string): string {
  const more = items.length - MAX_LISTED;
  return [...items.slice(0, MAX_LISTED).map(text), ...(more > 0 ? [`and ${more} more`] : [])].join(separator);
}

function explain({ toolUseId, state }: RefusedAnswer): string {
  switch (state.type) {
    case 'waits':
      return `${toolUseId} ${WAITS_FOR[state.for]}`;
    case 'answered':
      return `${toolUseId} was already answered with ${state.with}, which stays`;
    case 'never_asked':
      return `${toolUseId} was decided by the agent's own permission policy (${state.permission})`;
    case 'ended':
      return `${toolUseId} does not wait any more: it was stopped or its turn has ended`;
    case 'unknown':
      return `${toolUseId} is no tool call of this session; it may belong to another one`;
  }
}

const WAITS_FOR: Readonly<Record<PendingAction['kind'], string>> = {
  tool_confirmation: 'waits for result allow or deny',
  custom_tool_result: 'waits for the result of a custom tool: answer it with custom_result',
  tool_result: 'waits for the worker of its self-hosted environment, not for a decision',
};

/** Ids and kinds only: names of tools come from agents. */
function describe({ toolUseId, kind }: PendingAction): string {
  return `${toolUseId} (${kind})`;
}
