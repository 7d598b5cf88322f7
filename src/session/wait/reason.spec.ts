import { advance, cursorAtStart } from '../../managed-agents/log/cursor.js';
import { type LogEvent } from '../../managed-agents/log/event.js';
import { type PendingAction, type Situation } from '../../managed-agents/log/situation.js';
import { reasonToReturn } from './reason.js';

const start = cursorAtStart('sesn_1');
const action = (kind: PendingAction['kind']): PendingAction => ({ toolUseId: `sevt_${kind}`, kind });
const verdict = (result: string): LogEvent => ({
  id: 'sevt_9',
  type: 'span.outcome_evaluation_end',
  processed_at: '2026-08-17T12:00:00Z',
  result,
});
const situation = (changes: Partial<Situation>): Situation => ({
  status: undefined,
  turn: 'running',
  failed: false,
  pendingActions: [],
  interrupted: false,
  queuedInputs: 0,
  complete: true,
  ...changes,
});

it.each<[string, Partial<Situation>, string | undefined]>([
  ['a session that was never asked anything', { turn: 'not_started' }, undefined],
  ['input that is about to be taken up', { turn: 'queued' }, undefined],
  ['a turn under way', { turn: 'running' }, undefined],
  ['a turn that is over', { turn: 'over' }, 'turn_over'],
  ['a turn that failed', { turn: 'over', failed: true }, 'turn_over'],
  ['a session that has ended', { turn: 'terminated' }, 'terminated'],
  ['a budget that is used up', { turn: 'budget_reached' }, 'budget_reached'],
  ['a call to confirm', { turn: 'requires_action', pendingActions: [action('tool_confirmation')] }, 'action_required'],
  ['a custom tool', { turn: 'requires_action', pendingActions: [action('custom_tool_result')] }, 'action_required'],
  ['a call for a worker', { turn: 'requires_action', pendingActions: [action('tool_result')] }, undefined],
  [
    'a call for a worker beside one to confirm',
    { turn: 'requires_action', pendingActions: [action('tool_result'), action('tool_confirmation')] },
    'action_required',
  ],
  ['calls that were not found', { turn: 'requires_action' }, 'action_required'],
  ['a sub-agent that asks', { pendingActions: [action('tool_confirmation')] }, 'action_required'],
  ["a sub-agent's call for a worker", { pendingActions: [action('tool_result')] }, undefined],
  ['a judgement after which the agent goes on', { evaluation: verdict('needs_revision') }, 'outcome_evaluated'],
  ['a judgement after which the turn is about to end', { evaluation: verdict('satisfied') }, undefined],
  ['a judgement of an unknown kind', { evaluation: verdict('so_so') }, undefined],
  [
    'a judgement before a call for a worker',
    { turn: 'requires_action', pendingActions: [action('tool_result')], evaluation: verdict('needs_revision') },
    'outcome_evaluated',
  ],
  [
    'a judgement in a turn that goes on with an answer',
    { turn: 'queued', stopReason: { type: 'requires_action' }, evaluation: verdict('needs_revision') },
    'outcome_evaluated',
  ],
  [
    'a judgement of the turn before',
    { turn: 'queued', stopReason: { type: 'end_turn' }, evaluation: verdict('needs_revision') },
    undefined,
  ],
  [
    'a question before a judgement',
    { evaluation: verdict('needs_revision'), pendingActions: [action('tool_confirmation')] },
    'action_required',
  ],
])('%s', (_, changes, reason) => {
  expect(reasonToReturn(situation(changes), start)).toBe(reason);
});

it('a judgement that was told before is none any more', () => {
  const evaluation = verdict('needs_revision');
  expect(reasonToReturn(situation({ evaluation }), advance(start, [evaluation]))).toBeUndefined();
});
