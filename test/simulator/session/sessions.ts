import type { SessionCreateParams } from '@anthropic-ai/sdk/resources/beta/sessions';
import { formatTime } from '../clock.js';
import { object, onlyFields, patchMetadata } from '../http/body.js';
import { invalid, notFound } from '../http/errors.js';
import { normalizeTools } from '../resources/tools.js';
import type { SessionAgent } from '../wire.js';
import type { Catalog } from '../resources/catalog.js';
import { checkBudget, checkTitle, planSession } from './create.js';
import type { Platform } from './platform.js';
import { Session } from './session.js';
import { PHASE, type Program } from './tasks.js';
import { capInCents } from './usage.js';

const NOT_STOPPED = ['running', 'rescheduling'];

/** All sessions, and what can be done to one as a whole. */
export class Sessions {
  private readonly items = new Map<string, Session>();
  private count = 0;

  constructor(
    private readonly catalog: Catalog,
    private readonly platform: Platform,
    private readonly statusLagMs: number,
  ) {}

  create({ id, ...params }: SessionCreateParams & { id?: string }): Session {
    return this.createFrom(params, id);
  }

  createFrom(body: unknown, id?: string): Session {
    const { config, initialEvents } = planSession(this.catalog, body);
    this.count += 1;
    const session = new Session(this.platform, config, this.count, { id, running: initialEvents.length > 0 });
    session.setStatusLag(this.statusLagMs);
    this.items.set(session.id, session);
    session.inbox.begin(initialEvents);
    return session;
  }

  get(id: string): Session {
    const session = this.items.get(id);
    if (!session) throw notFound(`Session ${id} not found`);
    return session;
  }

  /** In the order they were made. */
  all(): Session[] {
    return [...this.items.values()];
  }

  /** The old value of what is replaced is gone; the log shows the changed fields only. */
  update(id: string, body: unknown): Session {
    const session = this.get(id);
    const fields = object(body, 'body');
    onlyFields(fields, ['title', 'metadata', 'budget', 'agent', 'vault_ids']);
    if (fields.vault_ids !== undefined) throw invalid('vault_ids: updating vaults is not yet supported');
    const change = this.plannedChange(session, fields);
    Object.assign(session.config, change);
    if (Object.keys(change).length > 0) session.record({ type: 'session.updated', ...change });
    this.platform.wake();
    return session;
  }

  /** Archiving does not interrupt; the event follows the answer. */
  archive(id: string): Session {
    const session = this.get(id);
    if (session.archivedAt !== undefined) return session;
    const status = blockingStatus(session);
    if (status !== undefined || session.openWorkflows.size > 0) {
      throw invalid(
        `Session ${id} cannot be archived while its status is "${status ?? 'running'}". Only pending or idle sessions may be archived.`,
        session.openWorkflows.size > 0 ? 'workflow_run_open' : undefined,
      );
    }
    session.archivedAt = this.platform.clock.now();
    session.tasks.cancelAll();
    session.tasks.start(announceEnd(session));
    return session;
  }

  delete(id: string): { id: string; type: 'session_deleted' } {
    const session = this.get(id);
    const stopped = session.archivedAt !== undefined || blockingStatus(session) === undefined;
    if (!stopped || session.openWorkflows.size > 0) {
      throw invalid(
        'Cannot delete session while it is running. Send an interrupt event or wait for the session to complete.',
        session.openWorkflows.size > 0 ? 'workflow_run_open' : undefined,
      );
    }
    session.deleted = true;
    session.tasks.cancelAll();
    this.items.delete(id);
    const processed_at = formatTime(this.platform.clock.now());
    const farewell = { id: this.platform.ids.next('sevt'), type: 'session.deleted', processed_at };
    for (const { log } of session.threads) log.announce(farewell);
    return { id, type: 'session_deleted' };
  }

  private plannedChange(session: Session, fields: Record<string, unknown>): Partial<Session['config']> {
    const { config } = session;
    const title = checkTitle(fields.title);
    const updated = patchMetadata(config.metadata, fields.metadata);
    return {
      ...(title !== undefined && title !== config.title && { title }),
      ...(JSON.stringify(updated) !== JSON.stringify(config.metadata) && { metadata: updated }),
      ...(fields.budget !== undefined && { budget: this.plannedBudget(session, fields.budget) }),
      ...(fields.agent !== undefined && { agent: plannedAgent(session, fields.agent) }),
    };
  }

  /** A budget comes with the session or never; a removed one does not come back. */
  private plannedBudget(session: Session, value: unknown) {
    if (session.status.actual === 'terminated') throw invalid(`Session ${session.id} is terminated`);
    if (value === null) return null;
    const budget = checkBudget(value, session.config.agent);
    if (session.config.budget === null) {
      throw invalid('budget: can only be set when the session is created', 'budget_create_only');
    }
    if (capInCents(budget) <= session.costInCents) {
      const message = "budget.max_list_cost must be greater than the session's consumed list cost";
      throw invalid(message, 'budget_not_raised');
    }
    return budget;
  }
}

/** Whatever stands in the way of an end: what the session does, or what it seems to do because its status lags. */
function blockingStatus({ status }: Session) {
  return [status.actual, status.visible].find((value) => NOT_STOPPED.includes(value));
}

function plannedAgent(session: Session, value: unknown): SessionAgent {
  const patch = object(value, 'agent');
  onlyFields(patch, ['tools', 'mcp_servers'], 'agent.');
  if (session.status.actual !== 'idle') throw invalid('agent: the session must be idle to update its agent');
  if (session.openWorkflows.size > 0) throw invalid('agent: a workflow run is open', 'workflow_run_open');
  const { agent } = session.config;
  return { ...agent, ...normalizeTools(patch.tools ?? agent.tools, patch.mcp_servers ?? agent.mcp_servers) };
}

function* announceEnd(session: Session): Program {
  session.terminate();
  yield PHASE;
}
