import { agentList } from '../answers.js';
import { Conversation } from '../conversation.js';
import { type Platform } from '../platform.js';
import { type Remote } from '../remote.js';
import { AUDITOR, LICENSE_CHECK, OUT_OF_REACH } from '../scenario.js';
import { expectThat, found } from '../unexpected.js';
import { startSession } from './approve.js';
import { type Ensemble } from './discover.js';

/** A sub-agent asks, and an MCP server that is out of reach does not make a good turn a failed one. */
export async function delegate(remote: Remote, platform: Platform, { environment_id }: Ensemble): Promise<void> {
  remote.stage.chapter('A sub-agent asks, and an MCP server is out of reach');
  const { agents } = await remote.ask('agent_list', {}, agentList);
  const { id: agent_id } = found(
    agents.find(({ name }) => name === AUDITOR),
    `the agent ${AUDITOR}`,
  );
  const start = { agent_id, environment_id, title: 'Audit', message: 'May we release it?' };
  const { session_id, next_since } = await startSession(remote, start);
  const conversation = new Conversation(remote, platform, session_id, next_since);
  const { pending_actions } = await conversation.untilItRests('action_required');
  const [asked] = pending_actions;
  const isOfSubAgent = asked?.session_thread_id !== undefined && asked.input.command === LICENSE_CHECK;
  expectThat(pending_actions.length === 1 && isOfSubAgent, 'one call of the sub-agent should wait');
  await conversation.respond(pending_actions, 'allow');
  const { warnings } = await conversation.untilItRests('turn_over');
  const isWarned = warnings.some(({ message }) => message === OUT_OF_REACH);
  expectThat(isWarned, 'the answer should warn of the MCP server that refused the credential');
}
