import { array, choice, metadata, object, onlyFields, optionalString, string, type Json } from '../http/body.js';
import { invalid, notFound } from '../http/errors.js';
import { normalizeModel, resolveForSession } from '../resources/agents.js';
import { normalizeTools } from '../resources/tools.js';
import type { Budget, InitialEvent, SessionAgent } from '../wire.js';
import type { Catalog } from '../resources/catalog.js';
import { checkShape } from './input-shapes.js';
import { mountResources } from './mounts.js';
import type { SessionConfig } from './state.js';
import { hasListPrice } from './usage.js';

const FIELDS = ['agent', 'environment_id', 'title', 'metadata', 'resources', 'vault_ids', 'budget', 'initial_events'];
const TITLE_LIMIT = 500;
const INITIAL_EVENTS_LIMIT = 50;

export interface SessionPlan {
  config: SessionConfig;
  initialEvents: InitialEvent[];
}

/** Checks everything a create call names before anything is made: it succeeds as a whole or not at all. */
export function planSession(catalog: Catalog, body: unknown): SessionPlan {
  const fields = object(body, 'body');
  const { initialEvents } = catalog.deviations;
  onlyFields(fields, initialEvents === 'refused' ? FIELDS.filter((name) => name !== 'initial_events') : FIELDS);
  const agent = resolveAgent(catalog, fields.agent);
  const environment = catalog.environments.requireActive(string(fields.environment_id, 'environment_id'), {
    missing: 'environment_not_found',
    archived: 'environment_archived',
  });
  const vaultIds = array(fields.vault_ids ?? [], 'vault_ids').map((id) => string(id, 'vault_ids'));
  for (const id of vaultIds) catalog.vaults.requireActive(id);
  const config: SessionConfig = {
    agent,
    environment,
    title: checkTitle(fields.title) ?? null,
    metadata: metadata(fields.metadata),
    vaultIds,
    resources: mountResources(catalog, fields.resources, environment),
    budget: fields.budget === undefined || fields.budget === null ? null : checkBudget(fields.budget, agent),
  };
  return { config, initialEvents: initialEvents === 'ignored' ? [] : checkInitialEvents(fields.initial_events) };
}

export function checkTitle(title: unknown): string | null | undefined {
  return optionalString(title, 'title', { max: TITLE_LIMIT });
}

/** Whole cents as a string without leading zeros, in dollars. */
export function checkBudget(value: unknown, agent: SessionAgent): Budget {
  const budget = object(value, 'budget');
  const type = choice(budget.type, 'budget.type', ['limit']);
  const { amount, currency } = object(budget.max_list_cost, 'budget.max_list_cost');
  if (!/^[1-9]\d*$/.test(string(amount, 'budget.max_list_cost.amount'))) {
    throw invalid('budget.max_list_cost.amount: must be a positive whole number of cents');
  }
  choice(currency, 'budget.max_list_cost.currency', ['USD']);
  if (!hasListPrice(agent.model.id)) {
    throw invalid(`${agent.model.id} has no public list price`, 'model_not_budgetable');
  }
  return { type, max_list_cost: { amount: String(amount), currency: 'USD' } };
}

function resolveAgent(catalog: Catalog, value: unknown): SessionAgent {
  if (typeof value === 'string') return resolveForSession(catalog.agents.requireActive(value), catalog.agents);
  const reference = object(value, 'agent');
  const type = choice(reference.type, 'agent.type', ['agent', 'agent_with_overrides']);
  const { id } = catalog.agents.requireActive(string(reference.id, 'agent.id'));
  const version = reference.version as number | null | undefined;
  const known = catalog.agents.allVersions(id).some((candidate) => candidate.version === version);
  if (typeof version === 'number' && !known) throw notFound(`agent.version: ${version} not found`);
  const agent = resolveForSession(catalog.agents.atVersion(id, version ?? undefined), catalog.agents);
  return type === 'agent' ? agent : override(agent, reference);
}

/** Absent inherits, null clears, a value replaces as a whole; the session keeps the base id and version. */
function override(agent: SessionAgent, overrides: Json): SessionAgent {
  if (overrides.model === null) throw invalid('agent.model: cannot be cleared', 'agent_model_required');
  const pick = (key: 'system' | 'skills' | 'tools' | 'mcp_servers') =>
    overrides[key] === undefined ? agent[key] : overrides[key];
  return {
    ...agent,
    // Effort inside an override is silently ignored.
    ...(overrides.model !== undefined && { model: { ...normalizeModel(overrides.model), effort: agent.model.effort } }),
    system: optionalString(pick('system'), 'agent.system', { max: 100_000 }) ?? null,
    skills: array(pick('skills') ?? [], 'agent.skills') as SessionAgent['skills'],
    ...normalizeTools(pick('tools'), pick('mcp_servers')),
  };
}

/** Only messages and at most one outcome may come with the session. */
function checkInitialEvents(value: unknown): InitialEvent[] {
  const events = array(value ?? [], 'initial_events', { max: INITIAL_EVENTS_LIMIT }).map((entry, index) => {
    const event = checkShape(entry, `initial_events[${index}]`);
    if (event.type !== 'user.message' && event.type !== 'user.define_outcome') {
      throw invalid(`initial_events[${index}].type: "${event.type}" is not a valid value`);
    }
    return event;
  });
  if (events.filter(({ type }) => type === 'user.define_outcome').length > 1) {
    throw invalid('initial_events: at most one user.define_outcome is allowed');
  }
  return events;
}
