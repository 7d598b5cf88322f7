import type { WorkflowStep } from '../scenario.js';
import type { SessionState } from './state.js';
import { PHASE, type Program, until } from './tasks.js';

/** Opens a workflow run beside the threads. The session counts as running until it ends; an interrupt does not end it. */
export function runWorkflow(session: SessionState, step: WorkflowStep): void {
  const { ids } = session.platform;
  const workflow_run_id = ids.next('wrun');
  const phases = step.phases.map((name) => ({ id: ids.next('wrph'), name, description: null }));
  session.openWorkflows.add(workflow_run_id);
  session.record({ type: 'workflow_run.created', workflow_run_id, name: step.name, description: null, phases });
  session.record({ type: 'workflow_run.status_running', workflow_run_id });
  session.tasks.start(program());

  function* program(): Program {
    for (const { id } of phases) {
      const phase = { workflow_run_id, workflow_run_phase_id: id };
      const started = session.record({ type: 'workflow_run.phase_started', ...phase });
      yield PHASE;
      session.record({ type: 'workflow_run.phase_ended', ...phase, phase_started_id: started.id });
      yield PHASE;
    }
    if (step.hold) yield until(() => !session.openWorkflows.has(workflow_run_id));
    session.openWorkflows.delete(workflow_run_id);
    session.record({ type: 'workflow_run.status_ended', workflow_run_id, result: { type: 'completed' } });
    session.idleWhenNothingRuns();
  }
}
