import { done } from '../answers.js';
import { type Conversation } from '../conversation.js';
import { type Remote } from '../remote.js';
import { expectThat } from '../unexpected.js';

/** Enough for the agent to begin, not enough for it to finish anything. */
const STEPS_INTO_A_TURN = 6;

/** A second turn, and a third that the human cuts short. */
export async function redirect(remote: Remote, conversation: Conversation): Promise<void> {
  const { sessionId: session_id } = conversation;
  remote.stage.chapter('Reply, interrupt, redirect');
  await remote.call('session_message', { session_id, text: 'Thanks. What is new in it, in one sentence?' }, done, sent);
  await conversation.untilItRests('over');
  await remote.call('session_message', { session_id, text: 'Now write the release notes.' }, done, sent);
  const { turn } = await conversation.look(STEPS_INTO_A_TURN);
  expectThat(turn === 'running', `the agent should still be working, but its turn is "${turn}"`);
  const then_message = 'Too much. Three bullet points will do.';
  await remote.call('session_interrupt', { session_id, then_message }, done, sent);
  await conversation.untilItRests('over');
}

const sent = () => 'sent';
