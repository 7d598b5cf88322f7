import { type Client } from '@modelcontextprotocol/client';
import { Conversation } from '../conversation.js';
import { type Platform } from '../platform.js';
import { Remote } from '../remote.js';
import { type Stage } from '../stage.js';
import { expectThat } from '../unexpected.js';
import { startSession } from './approve.js';
import { introduce } from './door.js';
import { type Ensemble } from './discover.js';

/** The same loop, shorter, for a client that starts the server itself and may not end sessions. */
export async function overStdio(stage: Stage, client: Client, platform: Platform, ensemble: Ensemble): Promise<number> {
  stage.chapter('The same over stdio', 'a client of 2025 · MCP_ALLOW_DESTRUCTIVE=false');
  const remote = new Remote(client, stage);
  const tools = await introduce(stage, client);
  expectThat(!tools.includes('session_delete'), 'session_delete should be hidden');
  const start = { ...ensemble, message: 'Release it, I am watching.' };
  const { session_id, next_since } = await startSession(remote, start);
  const conversation = new Conversation(remote, platform, session_id, next_since, true);
  const { pending_actions } = await conversation.untilItRests('action_required');
  await conversation.respond(pending_actions, 'allow');
  await conversation.untilItRests('turn_over');
  await remote.refused('session_delete', { session_id }, /MCP_ALLOW_DESTRUCTIVE=false/);
  return remote.calls;
}
