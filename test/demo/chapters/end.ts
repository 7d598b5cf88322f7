import { done, sessionList, situation } from '../answers.js';
import { tellSituation } from '../conversation.js';
import { type Platform } from '../platform.js';
import { type Remote } from '../remote.js';
import { dollars, plural, shortIds } from '../text.js';
import { expectThat } from '../unexpected.js';
import { startSession } from './approve.js';
import { type Ensemble } from './discover.js';

const STEPS_INTO_A_TURN = 5;
const STEPS_TO_STOP = 3;

/** What is done is archived; what was a rehearsal is stopped and deleted. */
export async function end(remote: Remote, platform: Platform, ensemble: Ensemble, finished: string): Promise<void> {
  remote.stage.chapter('Take stock and end');
  const { agent_id, environment_id } = ensemble;
  const { session_id: rehearsal } = await startSession(remote, {
    agent_id,
    environment_id,
    title: 'Rehearsal',
    message: 'Rehearse it.',
  });
  platform.work(rehearsal, STEPS_INTO_A_TURN);
  await listSessions(remote, agent_id);
  await remote.call('session_archive', { session_id: finished }, done, () => 'archived, its history stays');
  await remote.refused('session_delete', { session_id: rehearsal }, /Call session_interrupt/);
  await remote.call('session_interrupt', { session_id: rehearsal }, done, () => 'sent');
  platform.work(rehearsal, STEPS_TO_STOP);
  const { turn } = await remote.call('session_get', { session_id: rehearsal }, situation, tellSituation);
  expectThat(turn === 'over', `an interrupted turn should be over, but is "${turn}"`);
  await remote.call('session_delete', { session_id: rehearsal }, done, () => 'deleted');
}

async function listSessions(remote: Remote, agent_id: string): Promise<void> {
  const { sessions } = await remote.call('session_list', { agent_id }, sessionList, (list) =>
    plural(list.sessions.length, 'session'),
  );
  for (const { id, title, status, cost_usd } of sessions) {
    remote.stage.detail(status, `${shortIds(id)}  ${(title ?? '').padEnd(12)} ${dollars(cost_usd)}`);
  }
}
