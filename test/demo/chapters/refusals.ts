import { type Remote } from '../remote.js';
import { type Ensemble } from './discover.js';

/** What the model is told when it is wrong, and when it may not. */
export async function refusals(remote: Remote, ensemble: Ensemble, forbiddenEnvironment: string): Promise<void> {
  remote.stage.chapter('Refused, in words a model can act on', 'MCP_ALLOWED_ENVIRONMENT_IDS is set');
  const { agent_id, environment_id } = ensemble;
  await remote.refused(
    'session_start',
    { agent_id: 'the releaser', environment_id, budget_usd: 0.001 },
    /agent_id.*budget_usd/s,
  );
  await remote.refused('session_start', { agent_id, environment_id: forbiddenEnvironment }, /environment/);
}
