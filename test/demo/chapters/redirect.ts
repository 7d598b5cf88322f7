import { type Conversation } from '../conversation.js';
import { type Remote } from '../remote.js';
import { expectThat } from '../unexpected.js';

/** Enough for the agent to begin, not enough for it to finish anything. */
const STEPS_INTO_A_TURN = 6;

/** A second turn, and a third that the human cuts short. */
export async function redirect(remote: Remote, conversation: Conversation): Promise<void> {
  remote.stage.chapter('Reply, interrupt, redirect');
  await conversation.send('session_message', { text: 'Thanks. What is new in it, in one sentence?' });
  await conversation.untilItRests('turn_over');
  await conversation.send('session_message', { text: 'Now write the release notes.' });
  const { turn } = await conversation.look(STEPS_INTO_A_TURN);
  expectThat(turn === 'running', `the agent should still be working, but its turn is "${turn}"`);
  await conversation.send('session_interrupt', { then_message: 'Too much. Three bullet points will do.' });
  await conversation.untilItRests('turn_over');
}
