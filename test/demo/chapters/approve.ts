import { type z } from 'zod';
import { approvalList, started } from '../answers.js';
import { Conversation } from '../conversation.js';
import { type Platform } from '../platform.js';
import { type Remote } from '../remote.js';
import { shortIds } from '../text.js';
import { expectThat, found } from '../unexpected.js';
import { type Ensemble } from './discover.js';

/** Enough for the agent to begin, not enough for it to ask. */
const STEPS_INTO_A_TURN = 5;

/** The agent asks for two commands; one of them is a good idea. */
export async function approve(remote: Remote, platform: Platform, ensemble: Ensemble): Promise<Conversation> {
  remote.stage.chapter('Start, watch, approve');
  const start = { ...ensemble, title: 'Release 4.2', message: 'Prepare the next release.', budget_usd: 2 };
  const { session_id, next_since } = await startSession(remote, start);
  const conversation = new Conversation(remote, platform, session_id, next_since);
  const { turn } = await conversation.look(STEPS_INTO_A_TURN);
  expectThat(turn === 'running', `the agent should be working, but its turn is "${turn}"`);
  const { pending_actions } = await conversation.untilItRests('action_required');
  await remote.call('approval_list', {}, approvalList, tellApprovals);
  expectThat(pending_actions.length === 2, `2 calls should wait for approval, not ${pending_actions.length}`);
  const publish = found(
    pending_actions.find(({ input }) => input.command.includes('publish')),
    'the publish command',
  );
  const rest = pending_actions.filter((action) => action !== publish);
  await conversation.respond(rest, 'allow');
  await conversation.respond([publish], 'deny', 'not with --force');
  await conversation.untilItRests('turn_over');
  return conversation;
}

/** What waits for a person, in whichever session. */
function tellApprovals({ approvals }: z.output<typeof approvalList>): string {
  return approvals.map(({ title, tool }) => `${tool} of "${title}"`).join(', ');
}

export function startSession(
  remote: Remote,
  start: Readonly<Record<string, unknown>>,
): Promise<{ session_id: string; next_since: string }> {
  return remote.call('session_start', start, started, (answer) => `${shortIds(answer.session_id)}, ${answer.status}`);
}
